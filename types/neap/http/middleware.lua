---@meta neap.http.middleware
---What stands between a router and its handlers. docs/middleware.md is its chapter.
---
---Each function here makes one, for `app:use` or for a single route. A middleware is a
---function that is given the request and the next handler: what that returns to it is always
---a table, see `http.response`.
local middleware = {}

-- ---- access_log ------------------------------------------------------------

-- ---- compress --------------------------------------------------------------

-- ---- cors ------------------------------------------------------------------

-- ---- sessions --------------------------------------------------------------

-- ---- request_id ------------------------------------------------------------

-- ---- body_limit ------------------------------------------------------------

-- ---- timeout ---------------------------------------------------------------

-- ---- basic_auth ------------------------------------------------------------

-- ---- rate_limit ------------------------------------------------------------

-- ---- security_headers ------------------------------------------------------

-- ---- development -----------------------------------------------------------

return middleware
