/* signal_names.c - the names of signals, as far as this system has them. */
#include "host/signal_names.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  int number;
} names[] = {
  {"ABRT", SIGABRT},     {"ALRM", SIGALRM},     {"BUS", SIGBUS},
  {"CHLD", SIGCHLD},     {"CONT", SIGCONT},     {"FPE", SIGFPE},
  {"HUP", SIGHUP},       {"ILL", SIGILL},       {"INT", SIGINT},
#ifdef SIGINFO
  {"INFO", SIGINFO},
#endif
  {"IO", SIGIO},         {"KILL", SIGKILL},     {"PIPE", SIGPIPE},
  {"PROF", SIGPROF},
#ifdef SIGPWR
  {"PWR", SIGPWR},
#endif
  {"QUIT", SIGQUIT},     {"SEGV", SIGSEGV},
#ifdef SIGSTKFLT
  {"STKFLT", SIGSTKFLT},
#endif
  {"STOP", SIGSTOP},     {"SYS", SIGSYS},       {"TERM", SIGTERM},
  {"TRAP", SIGTRAP},     {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},
  {"TTOU", SIGTTOU},     {"URG", SIGURG},       {"USR1", SIGUSR1},
  {"USR2", SIGUSR2},     {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH},
  {"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ},
};

enum { COUNT = sizeof names / sizeof names[0] };

const char *signal_name(int number) {
  static char other[16];
  for (int i = 0; i < COUNT; i++)
    if (names[i].number == number) return names[i].name;
  snprintf(other, sizeof other, "SIG%d", number);
  return other;
}

int signal_number(const char *name) {
  if (strncmp(name, "SIG", 3) == 0) name += 3;
  for (int i = 0; i < COUNT; i++)
    if (strcmp(names[i].name, name) == 0) return names[i].number;
  return -1;
}

static int unknown(lua_State *L, int index, const char *name) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int i = 0; i < COUNT; i++) {
    luaL_addstring(&buffer, names[i].name);
    if (i + 1 < COUNT) luaL_addstring(&buffer, ", ");
  }
  luaL_pushresult(&buffer);
  lua_pushfstring(L, "unknown signal '%s' (there are: %s)", name,
                  lua_tostring(L, -1));
  return luaL_argerror(L, index, lua_tostring(L, -1));
}

int signal_check(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TNUMBER) {
    lua_Integer number = luaL_checkinteger(L, index);
    luaL_argcheck(L, number > 0 && number < NSIG, index, "no signal's number");
    return (int)number;
  }
  const char *name = luaL_checkstring(L, index);
  int number = signal_number(name);
  return number > 0 ? number : unknown(L, index, name);
}
