#!/usr/bin/env bash
# curl against a running server: interop_curl.sh http://127.0.0.1:PORT
# The server is examples/conformance_server. Each check compares exit status, HTTP status and bytes.
set -euo pipefail
base="$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
count=0

# curl of its own: no settings of a user, no proxy, an end to everything.
fetch() { curl -q --silent --show-error --noproxy '*' --max-time 60 "$@"; }

# same NAME EXPECTED GOT
same() {
    if [ "$2" != "$3" ]; then
        printf 'curl: %s: expected %q, got %q\n' "$1" "$2" "$3" >&2
        exit 1
    fi
    count=$((count + 1))
}

# same_file NAME EXPECTED GOT
same_file() {
    cmp "$2" "$3" >&2 || { printf 'curl: %s: bytes differ\n' "$1" >&2; exit 1; }
    count=$((count + 1))
}

big="$folder/big" got="$folder/got"
head -c 8388608 /dev/urandom >"$big"
printf 'a small body' >"$folder/small"
: >"$folder/empty"

same 'GET' 'Hello, World!' "$(fetch "$base/")"
summary='%{http_code} %{size_download}'
same 'GET status and length' '200 13 1.1' "$(fetch -o "$got" -w "$summary %{http_version}" "$base/")"
same 'GET JSON' '{"message":"Hello, World!"}' "$(fetch "$base/json")"
same 'GET JSON type' 'application/json' "$(fetch -o "$got" -w '%{content_type}' "$base/json")"
same 'path parameter' 'x y' "$(fetch "$base/user/x%20y")"
same '404' '404' "$(fetch -o "$got" -w '%{http_code}' "$base/nowhere")"
same '405' '405' "$(fetch -o "$got" -w '%{http_code}' -X DELETE "$base/")"
same 'Allow' '1' "$(fetch -o "$got" -D - -X DELETE "$base/" | grep -ci '^allow: .*get')"

same 'HEAD' '200 0' "$(fetch --head -o "$got" -w "$summary" "$base/")"
same 'HEAD length' '13' "$(fetch --head "$base/" | tr -d '\r' | sed -n 's/^[Cc]ontent-[Ll]ength: //p')"
same 'Date' '1' "$(fetch --head "$base/" | grep -ci '^date: .* GMT')"

same 'HTTP/1.0' 'Hello, World!' "$(fetch --http1.0 "$base/")"
fetch --http1.0 -o "$got" "$base/stream"
same 'HTTP/1.0 stream' '1048576' "$(wc -c <"$got")"
same 'HTTP/1.0 upload' 'a small body' "$(fetch --http1.0 --data-binary "@$folder/small" "$base/echo")"

fetch -o "$got" "$base/stream"
same 'stream length' '1048576' "$(wc -c <"$got")"
same 'stream bytes' '0' "$(tr -d x <"$got" | wc -c)"

# 8 MiB: curl asks with Expect: 100-continue by itself; then without; then chunked.
fetch --data-binary "@$big" -o "$got" "$base/echo"
same_file 'upload with Expect' "$big" "$got"
fetch --data-binary "@$big" -H 'Expect:' -o "$got" "$base/echo"
same_file 'upload without Expect' "$big" "$got"
fetch -X POST -T - -H 'Expect:' -o "$got" "$base/echo" <"$big"
same_file 'chunked upload' "$big" "$got"
fetch -X POST -T - -H 'Expect: 100-continue' -o "$got" "$base/echo" <"$big"
same_file 'chunked upload with Expect' "$big" "$got"
fetch -X POST -T "$big" --limit-rate 16M -o "$got" "$base/echo"
same_file 'upload at a limited rate' "$big" "$got"
for size in small empty; do
    fetch --data-binary "@$folder/$size" -o "$got" "$base/echo"
    [ -e "$got" ] || : >"$got"
    same_file "upload of a body that is $size" "$folder/$size" "$got"
done
fetch -X POST -T - -o "$got" "$base/echo" <"$folder/small"
same_file 'small chunked upload' "$folder/small" "$got"

# A final answer without reading: curl sees it, and does not send the body.
refused() { fetch "$@" -o "$got" -w '%{http_code}' "$base/nowhere"; }
same 'refused with Expect' '404' "$(refused --data-binary "@$big" -H 'Expect: 100-continue')"
same 'refused while sending' '404' "$(refused --data-binary "@$folder/small")"

# Three requests, one connection: only the first connects.
say='%{num_connects} '
reuse=$(fetch -o "$got" -w "$say" "$base/" --next -s -o "$got" -w "$say" --data-binary "@$folder/small" "$base/echo" \
    --next -s -o "$got" -w "$say" "$base/json")
same 'reuse' '1 0 0 ' "$reuse"
closed=$(fetch -H 'Connection: close' -o "$got" -w "$say" "$base/" --next -s -o "$got" -w "$say" "$base/")
same 'Connection: close' '1 1 ' "$closed"
parallel() { fetch --no-progress-meter --parallel --parallel-max 40 -o /dev/null -w '%{http_code}\n' "$@"; }
same '200 in parallel' '200' "$(parallel "$base/user/[1-200]" | grep -c 200)"

printf 'curl %s: %d checks\n' "$(curl --version | sed -n '1s/^curl \([^ ]*\).*/\1/p')" "$count"
