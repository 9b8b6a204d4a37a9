/** Stands in for the framework: hands requests of node:http to the handler. */
import { createServer } from 'node:http';
import { GET } from './route.js';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;

const server = createServer(async (req, res) => {
  // One header for each value: `req.headers` would lose a second Authorization, so that `auth`
  // could not refuse it.
  const headers = Object.entries(req.headersDistinct).flatMap(([name, values]) => values.map((value) => [name, value]));
  const answer = await GET(new Request(new URL(req.url, 'http://localhost'), { headers }));
  res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});
server.listen(Number(PORT), HOST, () => console.log(`web listens on http://${HOST}:${server.address().port}`));
