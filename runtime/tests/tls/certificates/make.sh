#!/bin/sh
# Makes the certificates of the TLS tests anew, in this folder. They are for tests only: the identities' keys are
# public, the authorities' keys are thrown away, and all are valid from 2020 to 2120. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

cat > "$work/ca.conf" <<END
[ca]
default_ca = tests
[tests]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
END
: > "$work/index"

# request FILE NAME EXTENSION
request() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -addext "$3" \
        -keyout "$work/$1.key" -out "$work/$1.request"
}

# sign FILE OPTIONS...
sign() {
    file=$1
    shift
    openssl ca -config "$work/ca.conf" -batch -notext -startdate 20200101000000Z -enddate 21200101000000Z \
        -in "$work/$file.request" -out "$file.pem" "$@"
}

# authority FILE NAME
authority() {
    request "$1" "$2" "basicConstraints=critical,CA:TRUE"
    sign "$1" -selfsign -keyfile "$work/$1.key"
}

# identity FILE AUTHORITY NAMES: the certificate and its key in one file
identity() {
    request "$1" "$1" "subjectAltName=$3"
    sign "$1" -cert "$2.pem" -keyfile "$work/$2.key"
    cat "$work/$1.key" >> "$1.pem"
}

authority authority "Authority for tests"
authority stranger "Unknown authority for tests"
identity server authority "DNS:example.test,DNS:localhost,IP:127.0.0.1,IP:::1"
identity one authority "DNS:one.test"
identity client authority "DNS:client.test"
identity unknown-client stranger "DNS:client.test"
