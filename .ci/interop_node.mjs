// Node's http as a peer, both ways.
//
//     node interop_node.mjs client URL                     Node's client against a running conformance_server
//     node interop_node.mjs server PROGRAMS [RUNTIME]      Node's server for the programs in a folder of examples:
//                                                          conformance_client and fetch
//
// Each check compares statuses and bytes; the first difference ends the script with status 1.
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';

const mebibyte = 1 << 20;
let count = 0;

function same(what, wanted, got) {
    if (!isDeepStrictEqual(wanted, got)) {
        const text = (value) => (Buffer.isBuffer(value) ? `${value.length} bytes` : String(JSON.stringify(value)));
        const show = (value) => text(value).slice(0, 200);
        console.error(`node: ${what}: expected ${show(wanted)}, got ${show(got)}`);
        process.exit(1);
    }
    count += 1;
}

async function whole(stream) {
    const pieces = [];
    for await (const piece of stream) pieces.push(piece);
    return Buffer.concat(pieces);
}

// One request; `body` is a buffer, or a list of buffers to send chunked.
function ask(agent, url, { method = 'GET', headers = {}, body, expects = false } = {}) {
    return new Promise((resolve, reject) => {
        const sent = expects ? { ...headers, Expect: '100-continue' } : headers;
        const request = http.request(url, { agent, method, headers: sent });
        let continued = false;
        const send = () => {
            if (Array.isArray(body)) body.forEach((piece) => request.write(piece));
            request.end(Array.isArray(body) ? undefined : body);
        };
        request.on('continue', () => {
            continued = true;
            send();
        });
        request.on('error', reject);
        request.on('response', async (response) => {
            try {
                const data = await whole(response);
                const { statusCode: status, headers } = response;
                resolve({ status, headers, data, reused: request.reusedSocket, continued });
            } catch (error) {
                reject(error);
            }
        });
        if (expects) request.flushHeaders();
        else send();
    });
}

async function client(base) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const big = randomBytes(8 * mebibyte);
    const cut = (data, size) => {
        const starts = Array.from({ length: Math.ceil(data.length / size) }, (_, i) => i * size);
        return starts.map((start) => data.subarray(start, start + size));
    };
    const mixed = async (number) => {
        if (number % 4 === 0) {
            const answer = await ask(agent, `${base}/`);
            same('GET', [200, 'Hello, World!'], [answer.status, answer.data.toString()]);
        } else if (number % 4 === 1) {
            same('path', String(number), (await ask(agent, `${base}/user/${number}`)).data.toString());
        } else {
            const body = randomBytes(number * 101 + 1);
            const sent = number % 4 === 2 ? body : cut(body, 999);
            same('echo', body, (await ask(agent, `${base}/echo`, { method: 'POST', body: sent })).data);
        }
    };
    await Promise.all(Array.from({ length: 200 }, (_, number) => mixed(number)));
    same('a kept connection', true, (await ask(agent, `${base}/`)).reused);
    same('8 MiB by length', big, (await ask(agent, `${base}/echo`, { method: 'POST', body: big })).data);
    same('8 MiB chunked', big, (await ask(agent, `${base}/echo`, { method: 'POST', body: cut(big, 65536) })).data);
    const length = { 'Content-Length': big.length };
    const asked = await ask(agent, `${base}/echo`, { method: 'POST', body: big, expects: true, headers: length });
    same('Expect', [true, 200], [asked.continued, asked.status]);
    same('Expect, bytes', big, asked.data);
    const stream = await ask(agent, `${base}/stream`);
    same('stream', [mebibyte, 'chunked'], [stream.data.length, stream.headers['transfer-encoding']]);
    const head = await ask(agent, `${base}/`, { method: 'HEAD' });
    same('HEAD', [200, '13', 0], [head.status, head.headers['content-length'], head.data.length]);
    same('404', 404, (await ask(agent, `${base}/nowhere`)).status);
    same('close', 'close', (await ask(agent, `${base}/`, { headers: { Connection: 'close' } })).headers.connection);
    await new Promise((resolve, reject) => {
        const request = http.get(`${base}/stream`, { agent });
        request.on('response', (response) => response.once('data', () => resolve(request.destroy())));
        request.on('error', reject);
    });
    same('after a reader that left', 200, (await ask(agent, `${base}/`)).status);
    agent.destroy();
    const answer = await (await fetch(`${base}/json`)).json();
    same('fetch', { message: 'Hello, World!' }, answer);
    console.log(`node ${process.version} as client: ${count} checks`);
}

async function server(programs, runtime) {
    const seen = { posts: 0, bytes: 0, sockets: new Set() };
    const site = http.createServer(async (request, response) => {
        seen.sockets.add(request.socket);
        if (request.url === '/') {
            response.end('Hello, World!');
        } else if (request.url === '/echo') {
            for await (const piece of request) {
                seen.bytes += piece.length;
                response.write(piece);
            }
            seen.posts += 1;
            response.end();
        } else if (request.url === '/stream') {
            for (let i = 0; i < 64; i += 1) response.write(Buffer.alloc(16384, 'x'));
            response.addTrailers({ 'X-End': 'yes' });
            response.end();
        } else if (request.url === '/early') {
            response.writeEarlyHints({ link: '</style.css>; rel=preload' });
            response.end('after hints');
        } else if (request.url === '/moved') {
            response.writeHead(307, { Location: '/' }).end('elsewhere');
        } else {
            response.writeHead(404).end();
        }
    });
    await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${site.address().port}`;
    const run = async (program, ...words) => {
        const options = { encoding: 'buffer', maxBuffer: 64 * mebibyte, timeout: 120_000 };
        return (await promisify(execFile)(path.join(programs, program), words, options)).stdout;
    };
    const digest = (data) => createHash('sha256').update(data).digest('hex');
    const lines = async (...words) => {
        const text = (await run('conformance_client', ...words)).toString();
        return text.trim().split('\n').map((line) => JSON.parse(line)).map((line) => [line.status, line.body_sha256]);
    };
    const hello = digest('Hello, World!');
    const urls = ['/', '/stream', '/early', '/'].map((place) => base + place);
    const wanted = [[200, hello], [200, digest('x'.repeat(mebibyte))], [200, digest('after hints')], [200, hello]];
    same('four fetches', wanted, await lines('http1', '--runtime', runtime, ...urls));
    same('one connection for four', 1, seen.sockets.size);
    same('HEAD', [[200, digest('')]], await lines('http1', '--runtime', runtime, '-X', 'HEAD', `${base}/`));
    same('redirect', [[200, hello]], await lines('redirects', '--runtime', runtime, `${base}/moved`));
    const upload = ['-X', 'POST', '-d', 'sent', `${base}/echo`];
    same('upload', [[200, digest('sent')]], await lines('redirects', '--runtime', runtime, ...upload));
    seen.sockets.clear();
    await run('conformance_client', 'load', '--runtime', runtime, '--url', `${base}/`, '--n', '2000', '--c', '16');
    same('connections of 16 tasks are kept', true, seen.sockets.size <= 16);
    [seen.posts, seen.bytes] = [0, 0];
    const many = ['--url', `${base}/echo`, '--n', '20', '--c', '4', '--post', String(4 * mebibyte)];
    await run('conformance_client', 'load', '--runtime', runtime, ...many);
    same('20 uploads of 4 MiB', [20, 80 * mebibyte], [seen.posts, seen.bytes]);
    same('fetch', mebibyte, (await run('fetch', `${base}/stream`)).length);
    site.closeAllConnections();
    site.close();
    console.log(`node ${process.version} as server, our client on ${runtime}: ${count} checks`);
}

const [role, place, runtime = 'smol'] = process.argv.slice(2);
if (role === 'client' && place) await client(place);
else if (role === 'server' && place) await server(place, runtime);
else {
    console.error('usage: interop_node.mjs client URL | server PROGRAMS [RUNTIME]');
    process.exit(2);
}
