/* help.c - the help, one screen (80 columns, 24 lines and a bit), and the
 * version, one line. */
#include "cli/help.h"

#include <lua.h>
#include <stdio.h>
#include <uv.h>

#ifdef NEAP_HAS_LIBEDIT
#define WITHOUT
#else
#define WITHOUT ", without line editing"
#endif

static const char text[] =
  "Neap runs Lua scripts on an event loop: write them as if each call blocked.\n"
  "\n"
  "  neap [options] [run] script.lua [arguments]   run a script; '-' is stdin\n"
  "  neap test [paths] [options]                   run specs (neap test --help)\n"
  "  neap new NAME; neap check [files]             begin a service; judge scripts\n"
  "  neap reload|status PID|NAME                   change it while it runs; see it\n"
  "  neap ps; neap help http.serve                 list what runs; what that does\n"
  "  neap [repl [script]]                          read lines and run each\n"
  "\n"
  "Options, before the script:\n"
  "  -e CODE          run a piece of Lua         -l NAME    require a module\n"
  "  -i               then read lines            -l G=NAME  into the global G\n"
  "  -W               turn warnings on           -v         show the version\n"
  "  -E               ignore LUA_INIT, LUA_PATH and LUA_CPATH\n"
  "  --watch          reload it when its files change (or: run script.lua --watch)\n"
  "  --name NAME      what it is called by neap ps: else as its file, without .lua\n"
  "  --reload-limit SECONDS   how long a new version may take to get ready (10)\n"
  "  --slow SECONDS   report a task that holds the loop for longer (0.05; 0: off)\n"
  "  --leaks          report handles that were forgotten, with their line\n"
  "  --help, --version\n"
  "\n"
  "Environment: LUA_INIT, LUA_PATH, LUA_CPATH, as for lua;\n"
  "  NEAP_GC=incremental|generational|stress   how the collector works\n"
  "Signals: TERM and INT end in good order, again: now; USR1 lists the tasks.\n";

void help_print(void) {
  fputs(text, stdout);
}

void help_print_version(void) {
  printf("neap " NEAP_VERSION " (" LUA_RELEASE ", libuv %s" WITHOUT ")\n",
         uv_version_string());
  fflush(stdout); /* as lua does: before anything else is written */
}
