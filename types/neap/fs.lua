---@meta neap.fs
---Files: what is in them, what they are called, and how they change.
---
---A path is a string of any bytes but zero (which raises), as the system has it:
---relative to the working directory where it does not begin with `/`.
---
---All of it is done in libuv's thread pool, or by the poller: the loop goes on
---meanwhile.
local fs = {}

-- ---- contents ---------------------------------------------------------------

-- ---- names ------------------------------------------------------------------

-- ---- watching ---------------------------------------------------------------

return fs
