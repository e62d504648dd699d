-- scripts/notes/store.lua: what was said to be saved is in the file, and a file that is not ours stays as it is.
local neap, fs, test = require "neap", require "neap.fs", require "neap.test"
local store = dofile "scripts/notes/store.lua"

describe("the store of notes", function()
  local files, path

  before_each(function()
    files = test.tempdir()
    path = files:path_of "notes.json"
  end)

  local function note(id, title)
    return { id = id, title = title, text = "", color = "plain", pinned = false, version = 1, created = 1, updated = 2 }
  end

  it("has in the file what it has said to be saved", function()
    local state = store.load(path)
    neap.group(function(group)
      for id = 1, 20 do
        group:go(function()
          assert.is_true((store.put(state, id, note(id, "note " .. id))))
          assert.matches(('"note %d"'):format(id), fs.read(path), 1, true)
        end)
      end
    end)
    assert.is_true((store.put(state, 7, nil)))
    local again = store.load(path)
    assert.is_nil(again.notes[7])
    state.notes[7], again.notes[7] = nil, nil
    assert.same(state.notes, again.notes)
  end)

  it("takes back what could not be written", function()
    local state = store.load(path)
    assert.is_true((store.put(state, 1, note(1, "kept"))))
    state.path = files.path .. "/none/notes.json"
    local ok, message = store.put(state, 1, note(1, "lost"))
    assert.is_nil(ok)
    assert.matches("no such file or directory", message)
    assert.equal("kept", state.notes[1].title)
  end)

  it("leaves a file alone that is not ours", function()
    for _, text in ipairs { "", "{", "[]", "null", '{"notes": {}, "next_id": 1}', '{"notes": [1], "next_id": 1}' } do
      files:write("notes.json", text)
      assert.has_error(function() store.load(path) end)
      assert.equal(text, fs.read(path))
    end
  end)
end)
