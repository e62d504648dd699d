-- What stands between an error and the message handler that a script has given:
-- a cancellation is none of its business. The tail call leaves no trace, so the
-- levels of the stack are what the handler expects.
local is_cancellation = ...

return function(handler)
  return function(err)
    if is_cancellation(err) then return err end
    return handler(err)
  end
end
