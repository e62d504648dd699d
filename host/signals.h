/* signals.h - what the system may say to the host.
 *
 * SIGTERM, SIGINT   end in good order; a second one ends now. But SIGINT may be
 *                   taken by whoever reads lines
 * SIGUSR1           print the table of tasks, and the running line
 * SIGNAL_LOOK       from the watchdog: does the same task still run?
 * SIGHUP            load the program again, where it has no terminal
 *                   (else: end us; in good order where we have children)
 * SIGPIPE, SIGXFSZ  nothing: a write says it. (A handler that does nothing, so
 *                   that the programs we start have the default again.)
 * Whatever a script has asked for (taker.h) is given to it instead.
 *
 * The handlers only set flags, wake the loop and, while Lua runs, set a hook:
 * all that a signal may do. One host a process can have them. */
#ifndef HOST_SIGNALS_H
#define HOST_SIGNALS_H

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

struct host;

#if defined(_POSIX_TIMERS) && _POSIX_TIMERS > 0
enum { SIGNAL_LOOK = SIGURG }; /* by default it is ignored: no surprise */
#else
enum { SIGNAL_LOOK = SIGALRM }; /* what setitimer sends */
#endif

int signals_open(struct host *host);
/* What SIGHUP asks for. Without this call, or with a terminal, it ends us. */
void signals_on_hang_up(void (*hang_up)(struct host *host));
/* Where it would end us at once: in good order from now on, as SIGTERM. For who
 * has something that must not be left behind. */
void signals_end_on_hang_up(void);
/* Who ends a running task that a watchdog's guard has found, if it is not of a
 * version that is being loaded: called inside it, may raise. */
void signals_on_cut(void (*fn)(lua_State *L, struct host *host));
/* For taker.c: it is to reach our handler; what it did before is restored,
 * unless the program ends: then it does nothing. */
void signals_handle(int number, struct sigaction *before);
void signals_leave(int number, const struct sigaction *before);
void signals_keep_alive(bool alive);
/* The program ends (loop_stop): the running task now, and not only when it
 * waits. */
void signals_end_running(struct host *host);
/* Who takes SIGINT, so that it no longer ends the program. While Lua runs:
 * `ends_running` says, when it has come so many times, whether the running task
 * is to be cancelled where it is. Otherwise `act` follows on the loop. */
void signals_on_interrupt(bool (*ends_running)(const struct host *host,
                                               int times),
                          void (*act)(struct host *host));
/* Until the process ends a second SIGTERM or SIGINT still ends it at once, and
 * nothing else that was ours does: what was printed may be on its way. */
void signals_close(struct host *host);

#endif
