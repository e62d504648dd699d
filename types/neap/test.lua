---@meta neap.test
---What specs of asynchronous code need, in any busted spec that runs under `neap test`.
---
---All of it ends with its spec: keep what it returns in a `<close>` variable, or close
---it in `after_each`.
local test = {}

return test
