-- scripts/notes/store.lua: what was said to be saved is in the file, and a file that is not ours stays as it is.
local neap, fs, json, test = require "neap", require "neap.fs", require "neap.json", require "neap.test"
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

  it("takes back what others have seen of it, in order", function()
    local state = store.load(path)
    assert.is_true((store.put(state, 1, note(1, "kept"))))
    state.path = files.path .. "/none/notes.json"
    local told = {}
    neap.group(function(group)
      for i = 1, 3 do
        group:go(store.put, state, 1, note(1, "lost " .. i), function(saved) told[#told + 1] = saved end)
      end
      group:go(store.put, state, 2, note(2, "lost, too"))
    end)
    assert.same({ false, false, false }, told)
    assert.same({ "kept", nil }, { state.notes[1].title, state.notes[2] })
    state.path = path
    assert.is_true((store.put(state, 2, note(2, "again"))))
  end)

  it("saves and tells also when whoever wanted it is gone", function()
    local state, told = store.load(path), nil
    local task = neap.go(store.put, state, 1, note(1, "tea"), function(saved) told = saved end)
    test.eventually(function() return state.notes[1] end)
    task:cancel()
    test.eventually(function() return told end)
    assert.equal("tea", store.load(path).notes[1].title)
  end)

  it("takes back what cannot be made into a file", function()
    local state = store.load(path)
    local ok, message = store.put(state, 1, note(1, "\xff"))
    assert.is_nil(ok)
    assert.matches("UTF-8", message, 1, true)
    assert.is_nil(state.notes[1])
    assert.is_nil(fs.read(path))
    assert.is_true((store.put(state, 1, note(1, "good"))))
  end)

  it("writes over nothing that somebody else has written", function()
    local one, two = store.load(path), store.load(path)
    assert.is_true((store.put(one, 1, note(1, "of one"))))
    local text = fs.read(path)
    local ok, message = store.put(two, 1, note(1, "of two"))
    assert.is_nil(ok)
    assert.matches("notes.json: somebody else has written it", message, 1, true)
    assert.is_nil(two.notes[1])
    assert.equal(text, fs.read(path))
    assert.is_true((store.put(one, 2, note(2, "more"))))
    fs.remove(path) -- that would be gone, if nothing was written
    assert.is_true((store.put(one, 3, note(3, "all"))))
    local again = store.load(path)
    assert.same(one.notes, again.notes)
  end)

  it("holds many", function()
    local state = store.load(path)
    for id = 1, 1000 do state.notes[id] = note(id, "note " .. id) end
    state.next_id = 1001
    assert.is_true((store.put(state, 500, nil)))
    local again = store.load(path)
    assert.same({ 1001, "note 999", nil }, { again.next_id, again.notes[999].title, again.notes[500] })
  end)

  it("gives no id twice, whatever the file says", function()
    files:write("notes.json", assert(json.encode { next_id = 2, notes = { note(7, "seven") } }))
    assert.equal(8, store.load(path).next_id)
  end)

  it("leaves a file alone that is not ours", function()
    local texts = { "", "{", "[]", "null", '{"notes": {}, "next_id": 1}', '{"notes": [1], "next_id": 1}',
      '{"notes": [], "next_id": 0}', '{"notes": [], "next_id": 1.5}' }
    for _, wrong in ipairs { { 1, 1 }, { -1 }, { 2 ^ 53 | 0 } } do
      local notes = {}
      for i, id in ipairs(wrong) do notes[i] = note(id, "a note") end
      texts[#texts + 1] = assert(json.encode { next_id = 1, notes = notes })
    end
    for _, text in ipairs(texts) do
      files:write("notes.json", text)
      local ok, message = pcall(store.load, path)
      assert.is_false(ok, text)
      assert.equal(1, message:find(path, 1, true), message)
      assert.equal(text, fs.read(path))
    end
    fs.remove(path)
    fs.mkdir(path)
    assert.has_error(function() store.load(path) end)
  end)
end)
