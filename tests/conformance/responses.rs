//! A strict reader of the bytes that a server sends back: what it cannot read as HTTP/1.1 is the server's fault.

/// One response, whole.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) version: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The values of a field, joined by commas; nothing if it is absent.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect();
        if values.is_empty() { None } else { Some(values.join(",")) }
    }
}

/// Reads responses out of a growing input.
pub(crate) struct Responses {
    methods: Vec<String>,
    input: Vec<u8>,
    finals: usize,
    tunnel: bool,
    /// What was read so far, interim responses included.
    pub(crate) list: Vec<Response>,
    /// Does the input end inside a response?
    pub(crate) is_partial: bool,
}

impl Responses {
    /// A reader of the answers to requests with these methods; further ones are GET.
    pub(crate) fn new(methods: &[String]) -> Self {
        Self {
            methods: methods.to_vec(),
            input: Vec::new(),
            finals: 0,
            tunnel: false,
            list: Vec::new(),
            is_partial: false,
        }
    }

    /// Takes more input, or its end.
    pub(crate) fn feed(&mut self, bytes: &[u8], end: bool) -> Result<(), String> {
        self.input.extend_from_slice(bytes);
        while !self.input.is_empty() && !self.tunnel {
            let method = self.methods.get(self.finals).map_or("GET", String::as_str);
            let Some((response, used)) = one(&self.input, method, end)? else {
                self.is_partial = true;
                return Ok(());
            };
            self.tunnel = response.status == 101 || method == "CONNECT" && (200..300).contains(&response.status);
            self.finals += usize::from(response.status >= 200);
            self.input.drain(..used);
            self.list.push(response);
            self.is_partial = false;
        }
        Ok(())
    }
}

/// The response at the front of the input and its length, or nothing if more is needed.
fn one(input: &[u8], method: &str, end: bool) -> Result<Option<(Response, usize)>, String> {
    const LONGEST_HEAD: usize = 256 * 1024;
    let Some(length) = find(input, b"\r\n\r\n") else {
        let start = b"HTTP/1.";
        let common = start.len().min(input.len());
        return match input {
            _ if input.len() > LONGEST_HEAD => Err("a response head over 256 KiB".to_owned()),
            _ if input[..common] != start[..common] => Err(format!("no status line: {}", show(input))),
            _ => Ok(None),
        };
    };
    let (mut response, body) = (head(&input[..length])?, &input[length + 4..]);
    let (status, start) = (response.status, length + 4);
    let coding = response.headers.iter().any(|(name, _)| name == "transfer-encoding");
    let mut lengths: Vec<&str> =
        response.headers.iter().filter(|(name, _)| name == "content-length").map(|(_, value)| value.as_str()).collect();
    lengths.dedup();
    if coding && !lengths.is_empty() {
        return Err("a response with both Transfer-Encoding and Content-Length".to_owned());
    }
    if lengths.len() > 1 {
        return Err("a response with two lengths".to_owned());
    }
    let is_empty =
        status < 200 || matches!(status, 204 | 304) || method == "HEAD" || method == "CONNECT" && status < 300;
    if is_empty {
        if coding && (status < 200 || status == 204) {
            return Err(format!("Transfer-Encoding in a {status} response"));
        }
        return Ok(Some((response, start)));
    }
    let used = if coding {
        let Some((data, used)) = chunked(body)? else { return Ok(None) };
        response.body = data;
        used
    } else if let Some(length) = lengths.first() {
        let length: usize = length.parse().map_err(|_| format!("Content-Length: {length}"))?;
        if body.len() < length {
            return Ok(None);
        }
        response.body = body[..length].to_vec();
        length
    } else if end {
        response.body = body.to_vec();
        body.len()
    } else {
        return Ok(None);
    };
    Ok(Some((response, start + used)))
}

fn head(bytes: &[u8]) -> Result<Response, String> {
    // Each byte is one character: every byte above 127 is legal in a reason and a value.
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    let mut lines = text.split("\r\n");
    let start = lines.next().unwrap_or_default();
    let bad = || format!("a bad status line: {start:?}");
    let version =
        start.strip_prefix("HTTP/").and_then(|rest| rest.get(..3)).filter(|version| ["1.0", "1.1"].contains(version));
    let rest = version.and_then(|_| start[8..].strip_prefix(' ')).ok_or_else(bad)?;
    let (status, reason) = (rest.get(..3).ok_or_else(bad)?, &rest[3..]);
    let is_text = |character: char| character == '\t' || !character.is_control();
    if !status.bytes().all(|byte| byte.is_ascii_digit())
        || !(reason.is_empty() || reason.starts_with(' '))
        || !reason.chars().all(is_text)
    {
        return Err(bad());
    }
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("a bad field: {line:?}"))?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) || value.contains(['\0', '\r', '\n']) {
            return Err(format!("a bad field: {line:?}"));
        }
        headers.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }
    let status = status.parse().map_err(|_| bad())?;
    Ok(Response { status, version: start[5..8].to_owned(), headers, body: Vec::new() })
}

/// The data of a chunked body and its length on the wire.
fn chunked(input: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut data, mut position) = (Vec::new(), 0);
    loop {
        let Some(length) = find(&input[position..], b"\r\n") else { return Ok(None) };
        let line = &input[position..position + length];
        position += length + 2;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if !(1..=8).contains(&digits) || !matches!(line.get(digits), None | Some(b';')) {
            return Err(format!("a bad chunk line: {}", show(line)));
        }
        let size = std::str::from_utf8(&line[..digits]).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let size = size.expect("eight hexadecimal digits are a number");
        if size == 0 {
            break;
        }
        let Some(rest) = input.get(position..position + size + 2) else { return Ok(None) };
        if &rest[size..] != b"\r\n" {
            return Err("chunk data without CRLF after it".to_owned());
        }
        data.extend_from_slice(&rest[..size]);
        position += size + 2;
    }
    loop {
        let Some(length) = find(&input[position..], b"\r\n") else { return Ok(None) };
        position += length + 2;
        if length == 0 {
            return Ok(Some((data, position)));
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The first bytes, for a message.
pub(crate) fn show(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(40)].escape_ascii().to_string()
}
