/* program.c - LUA_INIT, -e and -l, the script and the lines that are typed, one
 * after the other in one task, as in Lua's lua.c. Each may wait: so the task
 * goes on in a continuation, which only has to know how far it has come. */
#include "cli/program.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/repl/core.h"
#include "cli/rundir.h"
#include "cli/test/core.h"
#include "cli/tool.h"
#include "host/chunk.h"
#include "host/embedded.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/loop.h"
#include "host/main_task.h"
#include "host/signals.h"
#include "modules/hot/hot.h"
#include "modules/modules.h"

/* What a stage leaves on the stack: a function and so many arguments, or ... */
enum { NOTHING = -1, FAILED = -2 };

/* ---- arguments ----------------------------------------------------------- */

/* The script is arg[0], what stands before it has negative indices. */
static void set_arg(lua_State *L, const struct options *options) {
  int script = options->script == options->argc ? 0 : options->script;
  lua_createtable(L, options->argc - script, script + 1);
  for (int i = 0; i < options->argc; i++) {
    lua_pushstring(L, options->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

/* What LUA_INIT or -e has made of them. */
static int push_arg(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE)
    luaL_error(L, "'arg' is not a table");
  int table = lua_gettop(L);
  int count = (int)luaL_len(L, table);
  luaL_checkstack(L, count + 3, "too many arguments to script");
  for (int i = 1; i <= count; i++) lua_rawgeti(L, table, i);
  lua_remove(L, table);
  return count;
}

/* ---- stages: what is to be called next ----------------------------------- */

/* What cannot be loaded has no traceback, and ends the program: what the
 * command line asks for cannot be done. But a later version is not let in, and
 * what is watched will be mended. */
static int loaded(lua_State *L, int status) {
  struct host *host = host_of(L);
  const struct options *options = host->program.context;
  if (status == LUA_OK) return 0;
  if (options->watch || generation_here(L)->state == GENERATION_PREPARING)
    return lua_error(L);
  fprintf(stderr, "neap: %s\n", lua_tostring(L, -1));
  host->failures++;
  loop_stop(host, 1);
  return FAILED;
}

static int load_text(lua_State *L, const char *text, const char *name) {
  return loaded(L, luaL_loadbuffer(L, text, strlen(text), name));
}

static int load_init(lua_State *L, const struct options *options) {
  const char *name = "=LUA_INIT" LUA_VERSUFFIX;
  if (options->ignores_env) return NOTHING;
  const char *init = getenv(name + 1);
  if (init == NULL) {
    name = "=LUA_INIT";
    init = getenv(name + 1);
  }
  if (init == NULL) return NOTHING;
  if (init[0] == '@') return loaded(L, chunk_load(L, init + 1, NULL));
  return load_text(L, init, name);
}

static int load_step(lua_State *L, const struct step *step) {
  switch (step->option) {
    case 'e': return load_text(L, step->text, "=(command line)");
    case 'l': {
      const char *equals = strchr(step->text, '=');
      lua_getglobal(L, "require");
      lua_pushstring(L, equals != NULL ? equals + 1 : step->text);
      return 1;
    }
    default: lua_warning(L, "@on", 0); return NOTHING;
  }
}

/* A module that was required goes into a global. */
static void end_step(lua_State *L, const struct step *step) {
  if (step->option != 'l') return;
  const char *equals = strchr(step->text, '=');
  size_t size =
    equals != NULL ? (size_t)(equals - step->text) : strlen(step->text);
  lua_pushglobaltable(L);
  lua_pushlstring(L, step->text, size);
  lua_pushvalue(L, 2); /* the first result */
  lua_settable(L, -3);
}

static int load_test(lua_State *L) {
  embedded_load(L, "cli/test.lua");
  test_push_core(L);
  return 1;
}

/* `neap new`, `neap check` */
static int load_tool(lua_State *L, const char *file) {
  embedded_load(L, file);
  tool_push(L);
  return 1;
}

/* `neap help NAME`, as at the prompt */
static int load_about(lua_State *L) {
  embedded_load(L, "cli/about.lua");
  repl_push_core(L);
  return 1;
}

/* "reload", "chat": as they stand on the command line. */
static int load_client(lua_State *L, const struct options *options) {
  embedded_load(L, "cli/client.lua");
  lua_newtable(L);
  rundir_set_functions(L);
  lua_pushstring(L, options->argv[options->script]);
  lua_pushstring(L, options->argv[options->script + 1]);
  return 3;
}

static int load_file(lua_State *L, const char *name) {
  int status =
    name == NULL ? luaL_loadfile(L, NULL) : chunk_load(L, name, "main");
  status = loaded(L, status);
  return status == 0 ? push_arg(L) : status;
}

static int load_script(lua_State *L, const struct options *options) {
  if (options->command == COMMAND_TEST) return load_test(L);
  if (options->command == COMMAND_NEW) return load_tool(L, "cli/new.lua");
  if (options->command == COMMAND_CHECK) return load_tool(L, "cli/check.lua");
  if (options->command == COMMAND_ABOUT) return load_about(L);
  if (options_ask(options)) return load_client(L, options);
  if (options->from_stdin) return load_file(L, NULL);
  if (options->script < options->argc)
    return load_file(L, options->argv[options->script]);
  if (options_name_work(options) || isatty(STDIN_FILENO)) return NOTHING;
  return loaded(L, luaL_loadfile(L, NULL));
}

static int load_repl(lua_State *L, const struct options *options) {
  if (!options->interactive) {
    if (options_name_work(options) || !isatty(STDIN_FILENO)) return NOTHING;
    help_print_version();
  }
  setvbuf(stdin, NULL, _IONBF, 0); /* io.read takes no more than it needs */
  embedded_load(L, "cli/repl.lua");
  repl_push_core(L);
  return 1;
}

/* ---- the task ------------------------------------------------------------ */

static int load_stage(lua_State *L, const struct options *options, int at) {
  if (options_ask(options) && at != options->count + 1) return NOTHING;
  if (at == 0) return load_init(L, options);
  if (at <= options->count) return load_step(L, &options->steps[at - 1]);
  if (at == options->count + 1) return load_script(L, options);
  return load_repl(L, options);
}

static void end_stage(lua_State *L, const struct options *options, int at) {
  if (at > 0 && at <= options->count) end_step(L, &options->steps[at - 1]);
}

static int run_on(lua_State *L, int status, lua_KContext at);

/* The stack holds the options, and nothing else between two stages. */
static int run_from(lua_State *L, int at) {
  const struct options *options = lua_touserdata(L, 1);
  for (; at <= options->count + 2; at++) {
    lua_settop(L, 1);
    int nargs = load_stage(L, options, at);
    if (nargs == FAILED) break;
    if (nargs == NOTHING) continue;
    lua_callk(L, nargs, 1, at, run_on);
    end_stage(L, options, at);
  }
  return 0;
}

static int run_on(lua_State *L, int status, lua_KContext at) {
  (void)status;
  end_stage(L, lua_touserdata(L, 1), (int)at);
  return run_from(L, (int)at + 1);
}

static int run(lua_State *L) {
  set_arg(L, lua_touserdata(L, 1));
  return run_from(L, 0);
}

/* ---- its generation ------------------------------------------------------ */

/* Why it cannot be loaded again, or NULL. */
static const char *obstacle(const struct options *options) {
  if (options->command == COMMAND_TEST) return "specs are run once";
  if (options->interactive) return "lines are typed into it";
  if (options->from_stdin) return "the script came from standard input";
  if (!options_name_file(options)) return "it has no script";
  return NULL;
}

static void describe(struct host *host, struct options *options) {
  host->program.main = run;
  host->program.context = options;
  host->program.limit = options->reload_limit_ms / 1000.0;
  host->program.fixed = obstacle(options);
  if (host->program.fixed == NULL) signals_on_hang_up(hot_hang_up);
}

/* The first version of a program has nothing to be prepared beside. When it is
 * watched it is loaded like any other: it may be mended later. */
static int start(lua_State *L) {
  struct options *options = lua_touserdata(L, 1);
  struct host *host = host_of(L);
  if (options->ignores_env) { /* for luaopen_package */
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  describe(host, options);
  if (options_name_file(options)) control_start(host, options);
  if (options->watch) {
    if (hot_watch(host) < 0) return luaL_error(L, "not enough memory");
    return 0;
  }
  struct generation *generation = generation_new(L, modules_open);
  generation->state = GENERATION_LIVE;
  host->live = generation;
  if (main_task_start(generation) == NULL)
    return luaL_error(L, "not enough memory");
  return 0;
}

int program_start(struct host *host, const struct options *options) {
  lua_State *L = host->L;
  lua_pushcfunction(L, start);
  lua_pushlightuserdata(L, (void *)options);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) return 0;
  fprintf(stderr, "neap: %s\n", lua_tostring(L, -1));
  return UV_ENOMEM;
}
