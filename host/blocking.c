/* blocking.c - tells a C function that blocks from one that was only seen, and
 * finds its name by its value: whatever a script calls it, it is in the table of
 * a library, or a method of a class. Looks only: no metamethod is called. */
#include "host/blocking.h"

#include <lauxlib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

enum { BUSY_NS = 1000000 }; /* nobody's quick function takes so long */

/* ---- has it been in there all the time? ---------------------------------- */

struct usage {
  uint64_t cpu; /* ns */
  long sleeps;  /* how often it has given up the processor to wait */
};

static struct usage marked;

static uint64_t ns_of(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

/* Of this thread alone: when others want the processor, too, the time of day
 * tells nothing. */
static struct usage usage_now(void) {
#ifdef RUSAGE_THREAD
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage) == 0)
    return (struct usage){ns_of(usage.ru_utime) + ns_of(usage.ru_stime),
                          usage.ru_nvcsw};
#endif
  (void)ns_of;
  return (struct usage){uv_hrtime(), 0};
}

void blocking_mark(void) {
  marked = usage_now();
}

static bool has_blocked(void) {
  struct usage now = usage_now();
  return now.sleeps > marked.sleeps || now.cpu >= marked.cpu + BUSY_NS;
}

/* ---- its name ------------------------------------------------------------ */

/* Of several names the shortest, and of those the first: always the same. */
static void consider(struct blocking *found, const char *module,
                     const char *between, const char *key) {
  char name[BLOCKING_NAME];
  snprintf(name, sizeof name, "%s%s%s", module, between, key);
  size_t old = strlen(found->name), size = strlen(name);
  if (old == 0 || size < old || (size == old && strcmp(name, found->name) < 0))
    memcpy(found->name, name, size + 1);
}

/* Is the function at `index` a value of the table on top? */
static void look_into(lua_State *L, int index, struct blocking *found,
                      const char *module, const char *between) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_rawequal(L, -1, index))
      consider(found, module, between, lua_tostring(L, -2));
    lua_pop(L, 1);
  }
}

/* A field without metamethods: pushes it. */
static int raw_field(lua_State *L, int index, const char *key) {
  index = lua_absindex(L, index);
  lua_pushstring(L, key);
  return lua_rawget(L, index);
}

/* Lua's own come first: a module of the script may hold them by another name. */
static void look_into_lua(lua_State *L, int index, struct blocking *found) {
  static const char *const names[] = {"os",    "io",   "string",
                                      "table", "utf8", "coroutine"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (raw_field(L, -1, names[i]) == LUA_TTABLE)
      look_into(L, index, found, names[i], ".");
    lua_pop(L, 1);
  }
}

static void look_into_modules(lua_State *L, int index, struct blocking *found) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1) &&
        strcmp(lua_tostring(L, -2), LUA_GNAME) != 0)
      look_into(L, index, found, lua_tostring(L, -2), ".");
    lua_pop(L, 1);
  }
}

static void look_into_globals(lua_State *L, int index, struct blocking *found) {
  if (raw_field(L, -1, LUA_GNAME) == LUA_TTABLE)
    look_into(L, index, found, "", "");
  lua_pop(L, 1);
}

/* The metatable on top has methods. */
static void look_into_class(lua_State *L, int index, struct blocking *found,
                            const char *class) {
  if (strcmp(class, LUA_FILEHANDLE) == 0) class = "file";
  if (raw_field(L, -1, "__index") == LUA_TTABLE)
    look_into(L, index, found, class, ":");
  lua_pop(L, 1);
}

static void look_into_classes(lua_State *L, int index, struct blocking *found) {
  lua_pushnil(L);
  while (lua_next(L, LUA_REGISTRYINDEX) != 0) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1))
      look_into_class(L, index, found, lua_tostring(L, -2));
    lua_pop(L, 1);
  }
}

/* What io.lines and file:lines return is made anew each time, and is in no
 * table: a C function with the file in it. */
static bool reads_lines(lua_State *L, int index) {
  if (lua_getupvalue(L, index, 1) == NULL) return false;
  bool is = luaL_testudata(L, -1, LUA_FILEHANDLE) != NULL;
  lua_pop(L, 1);
  return is;
}

static void find_name(lua_State *L, lua_Debug *ar, int index,
                      struct blocking *found) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE) == LUA_TTABLE) {
    look_into_lua(L, index, found);
    if (found->name[0] == '\0') look_into_modules(L, index, found);
    if (found->name[0] == '\0') look_into_globals(L, index, found);
  }
  lua_pop(L, 1);
  if (found->name[0] == '\0') look_into_classes(L, index, found);
  if (found->name[0] == '\0' && reads_lines(L, index))
    consider(found, "file", ":", "lines");
  if (found->name[0] != '\0') return;
  lua_getinfo(L, "n", ar);
  if (ar->name != NULL)
    consider(found, "the C function ", "", ar->name);
  else
    consider(found, "a C function", "", "");
}

/* ---- what to use instead ------------------------------------------------- */

struct advice {
  const char *name; /* what it begins with */
  const char *instead;
};

static const struct advice advices[] = {
  {"os.execute", "neap.process.run"},
  {"os.rename", "neap.fs.rename"},
  {"os.remove", "neap.fs.remove"},
  {"io.popen", "neap.process.run"},
  {"io.tmpfile", "neap.fs.tempfile"},
  {"io.open", "neap.fs.open"},
  {"io.lines", "neap.fs.open"}, /* which opens it */
  {"lfs.", "neap.fs"},
  {"socket.", "neap.net"},
  {"tcp{", "neap.net, or neap.poll"}, /* classes of LuaSocket */
  {"udp{", "neap.net, or neap.poll"},
  {"luv.", "the form with a callback"},
};

static const char *of_name(const char *name) {
  static const char sleep[] = "sleep";
  size_t size = strlen(name), last = sizeof sleep - 1;
  if (size >= last && strcmp(name + size - last, sleep) == 0)
    return "neap.timer.sleep";
  for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
    if (strncmp(name, advices[i].name, strlen(advices[i].name)) == 0)
      return advices[i].instead;
  return NULL;
}

/* The file on top of the stack. To close one takes long where a child has to
 * end first. */
static const char *of_file(lua_State *L) {
  static const char *const standard[] = {"neap.stdin", "neap.stdout",
                                         "neap.stderr"};
  const luaL_Stream *stream = luaL_testudata(L, -1, LUA_FILEHANDLE);
  struct stat status;
  if (stream == NULL) return NULL;
  if (stream->closef == NULL) return "neap.process.run";
  int fd = fileno(stream->f);
  if (fd >= 0 && fd <= 2) return standard[fd];
  if (fstat(fd, &status) != 0) return NULL;
  return S_ISFIFO(status.st_mode) ? "neap.process.spawn" : "neap.fs.open";
}

/* Pushes the file that the function at `index` has to do with, if any. */
static void push_file(lua_State *L, lua_Debug *ar, int index,
                      const char *name) {
  if (strcmp(name, "io.read") == 0)
    lua_getfield(L, LUA_REGISTRYINDEX, "_IO_input");
  else if (strcmp(name, "io.write") == 0)
    lua_getfield(L, LUA_REGISTRYINDEX, "_IO_output");
  else if (lua_getlocal(L, ar, 1) == NULL)
    lua_pushnil(L);
  if (lua_isuserdata(L, -1) || lua_getupvalue(L, index, 1) == NULL) return;
  lua_remove(L, -2);
}

bool blocking_find(lua_State *L, lua_Debug *ar, struct blocking *found) {
  *found = (struct blocking){"", NULL};
  if (ar->event != LUA_HOOKRET || !has_blocked()) return false;
  if (!lua_checkstack(L, 10)) return false;
  int top = lua_gettop(L);
  lua_getinfo(L, "f", ar);
  bool is_c = lua_iscfunction(L, -1);
  if (is_c) {
    find_name(L, ar, top + 1, found);
    push_file(L, ar, top + 1, found->name);
    found->instead = of_file(L);
    if (found->instead == NULL) found->instead = of_name(found->name);
  }
  lua_settop(L, top);
  return is_c;
}
