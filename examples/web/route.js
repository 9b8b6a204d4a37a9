/** A route handler over the web's Request, such as Next.js' app/reports/route.js. */
import { Rewt } from 'rewt';
import { rewtAuth } from 'rewt/web';

const { REDIS_URL = 'redis://localhost:6379' } = process.env;

// Nothing is opened before the first request, so a build that only loads this file needs no Redis.
const rewt = new Rewt({ redisConn: REDIS_URL, redisNamespace: 'example' });
const auth = rewtAuth(rewt, { audience: 'reports' });

/** For Next.js: rewt needs Node, and the Edge runtime is none. */
export const runtime = 'nodejs';

export async function GET(request) {
  const { response, claims } = await auth(request);
  if (response) return response;
  return Response.json({ for: claims.sub });
}
