/** Stands in for the package rewt 2, which no registry has any more: what it does on Redis and with jsonwebtoken, for its users' programs. */
const { randomUUID } = require('node:crypto');
const jwt = require('jsonwebtoken');

module.exports = class Rewt {
  constructor({ redisConn, redisNamespace, ttl }) {
    this.client = redisConn;
    this.key = `${redisNamespace}:rewt-secret`;
    this.ttl = ttl;
  }

  sign(payload, callback) {
    this.secret((error, secret) => (error ? callback(error) : jwt.sign(payload, secret, {}, callback)));
  }

  verify(token, callback) {
    this.secret((error, secret) => (error ? callback(error) : jwt.verify(token, secret, {}, callback)));
  }

  secret(callback) {
    this.client.get(this.key, (error, found) => {
      if (error || found) return callback(error, found);
      const made = randomUUID();
      this.client.setex(this.key, this.ttl, made, (failure) => callback(failure, made));
    });
  }
};
