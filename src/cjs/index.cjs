'use strict';

// So that `const Rewt = require('rewt')` is the class, as it was in the first rewt, and everything else hangs on it by name.
const api = require('./index.js');
module.exports = Object.assign(api.Rewt, api);
