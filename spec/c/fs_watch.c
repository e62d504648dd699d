/* fs_watch.c - fs.watch where the system has no more watches, or no descriptor,
 * or breaks: its calls are replaced by ones that fail when they are told to.
 * What is seen then is checked by the script below. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#ifdef __linux__

#include <sys/inotify.h>
#include <sys/syscall.h>

#include "spec/c/machine.h"

static int watches_left = 1 << 30;
static int descriptor_error; /* errno, or 0 */

/* In place of those of the C library. */
int inotify_add_watch(int fd, const char *path, uint32_t mask) {
  if (watches_left <= 0) {
    errno = ENOSPC;
    return -1;
  }
  watches_left--;
  return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

int inotify_init1(int flags) {
  if (descriptor_error != 0) {
    errno = descriptor_error;
    return -1;
  }
  return (int)syscall(SYS_inotify_init1, flags);
}

static int set_left(lua_State *L) {
  watches_left = (int)luaL_checkinteger(L, 1);
  return 0;
}

static int set_broken(lua_State *L) {
  descriptor_error = lua_toboolean(L, 1) ? EMFILE : 0;
  return 0;
}

/* The descriptor can no longer be read: it is that of a directory, which is
 * an error. */
static int break_descriptor(lua_State *L) {
  char path[64], target[64];
  (void)L;
  for (int fd = 3; fd < 100; fd++) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0) continue;
    target[size] = '\0';
    if (strstr(target, "inotify") == NULL) continue;
    int other = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dup3(other, fd, O_CLOEXEC);
    close(other);
    lua_pushinteger(L, fd);
    return 1;
  }
  return 0;
}

static const char script[] =
  "local fs, neap = require 'neap.fs', require 'neap'\n"
  "local root = os.tmpname()\n"
  "os.remove(root)\n"
  "local function sh(text) assert(os.execute('cd ' .. root .. ' && ' .. text)) end\n"
  "local function write(name, text)\n"
  "  local file <close> = assert(io.open(root .. '/' .. name, 'w'))\n"
  "  assert(file:write(text))\n"
  "end\n"
  "local seen = {}\n" /* where it polls one write may be told twice */
  "local function expect(watcher, ...)\n"
  "  local left = {}\n"
  "  for _, text in ipairs { ... } do left[text] = true end\n"
  "  while next(left) do\n"
  "    local change = assert(watcher:read { timeout = 20 })\n"
  "    local text = change.kind .. ' ' .. change.path:sub(#root + 2)\n"
  "    assert(left[text] or change.kind == 'changed' and seen[text], text)\n"
  "    left[text], seen[text] = nil, true\n"
  "  end\n"
  "end\n"
  "local function told(fn)\n"
  "  to_file(root .. '.err')\n"
  "  local ok, message = pcall(fn)\n"
  "  to_file()\n"
  "  assert(ok, message)\n"
  "  local file <close> = assert(io.open(root .. '.err'))\n"
  "  return file:read 'a'\n"
  "end\n"
  "local tree = { recursive = true, gather = 0.002 }\n"
  "local function with_tree(fn)\n"
  "  assert(os.execute('mkdir -p ' .. root .. '/a/b ' .. root .. '/c'))\n"
  "  for _, name in ipairs { 'a/b/file', 'c/file', 'file' } do write(name, '1') end\n"
  "  sh 'touch -d 2001-01-01 a/b/file c/file file'\n"
  "  fn()\n"
  "  os.execute('rm -rf ' .. root .. ' ' .. root .. '.err')\n"
  "end\n"
  "\n"
  "with_tree(function()\n" /* the limit comes while it is armed */
  "  local watcher, other\n"
  "  set_left(select(2, root:gsub('/', '')) + 2)\n"
  "  local text = told(function()\n"
  "    watcher = assert(fs.watch(root, tree))\n"
  "    other = assert(fs.watch(root, tree))\n"
  "  end)\n"
  "  assert(text:find('^neap: watch /.*: no space left on device %(raise fs.inotify.max_user_watches%): '\n"
  "    .. 'files are polled every 0.5 s instead\\n$'), text)\n"
  "  assert(watcher.polling and other.polling)\n"
  "  for i = 1, 2 do\n"
  "    write('a/b/file', ('x'):rep(i + 1))\n"
  "    expect(watcher, 'changed a/b/file')\n"
  "    write('c/file', ('x'):rep(i + 1))\n"
  "    expect(watcher, 'changed c/file')\n"
  "    write('file', ('x'):rep(i + 1))\n"
  "    expect(watcher, 'changed file')\n"
  "  end\n"
  "  sh 'mkdir -p a/new/deep && echo 1 > a/new/deep/file && rm -r c'\n"
  "  expect(watcher, 'created a/new', 'created a/new/deep', 'created a/new/deep/file', 'removed c', 'removed c/file')\n"
  "  set_left(1 << 30)\n" /* they are watched again */
  "  local limit = os.time() + 20\n"
  "  repeat local _, _, code = watcher:read { timeout = 0.05 } until not watcher.polling or os.time() > limit\n"
  "  assert(not watcher.polling)\n"
  "  write('a/new/deep/file', '22')\n"
  "  expect(watcher, 'changed a/new/deep/file')\n"
  "  watcher:close()\n"
  "  other:close()\n"
  "end)\n"
  "\n"
  "with_tree(function()\n" /* there is no descriptor: all is polled */
  "  require 'neap.timer'.sleep(0.01)\n"
  "  set_broken(true)\n"
  "  local watcher <close> = assert(fs.watch(root, tree))\n"
  "  local single <close> = assert(fs.watch(root .. '/file', { gather = 0.002 }))\n"
  "  assert(watcher.polling and single.polling)\n"
  "  write('file', '22')\n"
  "  expect(watcher, 'changed file')\n"
  "  expect(single, 'changed file')\n"
  "  write('file', '33')\n" /* of the same size */
  "  expect(watcher, 'changed file')\n"
  "  expect(single, 'changed file')\n"
  "  sh 'mv a z'\n"
  "  expect(watcher, 'removed a', 'removed a/b', 'removed a/b/file', 'created z', 'created z/b', 'created z/b/file')\n"
  "  os.remove(root .. '/file')\n"
  "  expect(watcher, 'removed file')\n"
  "  expect(single, 'removed file')\n"
  "  set_broken(false)\n"
  "end)\n"
  "\n"
  "with_tree(function()\n" /* it breaks while it is used */
  "  local watcher <close> = assert(fs.watch(root, { recursive = true, gather = 0.03 }))\n"
  "  assert(not watcher.polling)\n"
  "  write('file', '22')\n"
  "  expect(watcher, 'changed file')\n"
  "  assert(break_descriptor())\n"
  "  write('c/file', '22')\n"
  "  expect(watcher, 'changed c/file')\n"
  "  assert(watcher.polling)\n"
  "  write('file', '333')\n"
  "  expect(watcher, 'changed file')\n"
  "end)\n"
  "print 'fs_watch: ok'\n";

static const char busy[] =
  "local fs, neap = require 'neap.fs', require 'neap'\n"
  "for i = 1, 5 do\n"
  "  neap.go(function() tree = fs.watch('host', { recursive = true }) end)\n"
  "  neap.go(function() kept = fs.watch('host', function() end) end)\n"
  "  neap.go(function() local one = fs.watch('host/host.c') for _ in one:changes() do end end)\n"
  "end\n"
  "require 'neap.timer'.sleep(0)\n"
  "fs.watch('.', { recursive = true }):read()\n";

static void test_script(void) {
  struct host *host = machine_open(100);
  lua_register(host->L, "set_left", set_left);
  lua_register(host->L, "set_broken", set_broken);
  lua_register(host->L, "break_descriptor", break_descriptor);
  lua_register(host->L, "to_file", machine_stderr);
  machine_start(host, &host->root->background, script);
  loop_run(host);
  assert(host_exit_code(host) == 0);
  machine_close(host);
}

/* The end, in the middle of it. */
static void test_close(int turns) {
  struct host *host = machine_open(50);
  machine_start(host, &host->root->background, busy);
  while (turns-- > 0) {
    loop_dispatch(host);
    uv_run(&host->loop, UV_RUN_NOWAIT);
    clock_advance(&host->clock);
  }
  machine_close(host);
}

int main(void) {
  test_script();
  for (int turns = 0; turns < 30; turns += 3) test_close(turns);
  return 0;
}

#else

int main(void) {
  return 0;
}

#endif
