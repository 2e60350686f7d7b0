// Node's package `ws`: a WebSocket echo with permessage-deflate. Takes --port; other arguments are passed over.
import { WebSocketServer } from "ws";

const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
const compressed = { threshold: 0, concurrencyLimit: 1 };
const server = new WebSocketServer({
    host: "127.0.0.1", port, perMessageDeflate: compressed, maxPayload: 64 << 20,
});
server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
