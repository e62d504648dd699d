/* watchdog.h - notices a task that holds the loop, and on which line.
 *
 * A timer of the system looks twice within the limit whether the loop still
 * runs the same task as before, and stops when the loop rests. Only when a
 * task overruns is Lua interrupted, by a hook that reports once and is gone:
 * nothing is slower while all is well. While a new version of the program is
 * prepared, or a spec runs, a task that does not give way is ended. (Not a
 * thread: with a second one each system call costs more, measured 3 % of an
 * echo.) */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

struct host;

/* A version that is loaded may compute for so long, and hold the loop for so long
 * in all: where others have the machine, the second is far more than the first. */
enum { WATCHDOG_LOAD_CPU_MS = 1000, WATCHDOG_LOAD_MS = 5000 };

enum watchdog_finding {
  WATCHDOG_NOTHING,
  WATCHDOG_OVERRUN, /* it is to be reported */
  WATCHDOG_CUT      /* if somebody guards it, it is to end */
};

struct watchdog {
#if defined(_POSIX_TIMERS) && _POSIX_TIMERS > 0
  timer_t timer;
#endif
  uint64_t limit;     /* ns; 0: nobody reports */
  uint64_t cpu_slice; /* ns that a guarded task may compute */
  uint64_t slice;     /* and hold the loop in all; 0: none is guarded */
  volatile sig_atomic_t awake; /* the timer runs */
  bool is_open;                /* there is a timer */
  bool has_reported;           /* this task */
  uint64_t since;              /* when a look first saw this task, ns */
  uint64_t cpu_since;          /* the same, of the thread's CPU time */
  unsigned seen;               /* host->runs at the last look */
  int rests;                   /* looks in a row that saw no task run */
};

/* A task may run for so long before it is reported. Needs signals_open. */
int watchdog_open(struct host *host, unsigned limit_ms);
void watchdog_close(struct host *host);
void watchdog_wake(struct host *host); /* the loop has something to run */
/* From now on a task that computes or holds the loop for so long is cut, where
 * somebody has a mind to (see signals.c); 0: none is. One of libuv's errors, or
 * 0. */
int watchdog_guard(struct host *host, unsigned cpu_ms, unsigned ms);
/* For the signal handler, about the running task. */
enum watchdog_finding watchdog_look(struct host *host);

#endif
