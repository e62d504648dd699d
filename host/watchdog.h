/* watchdog.h - notices a task that holds the loop, and on which line.
 *
 * A timer of the system looks twice within the limit whether the loop still
 * runs the same task as before, and stops when the loop rests. Only when a
 * task overruns is Lua interrupted, by a hook that reports once and is gone:
 * nothing is slower while all is well. (Not a thread: with a second one each
 * system call costs more, measured 3 % of an echo.) */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

struct host;

struct watchdog {
#if defined(_POSIX_TIMERS) && _POSIX_TIMERS > 0
  timer_t timer;
#endif
  uint64_t limit;              /* ns; 0: nobody looks */
  volatile sig_atomic_t awake; /* the timer runs */
  uint64_t since;              /* when a look first saw this task, ns */
  unsigned seen;               /* host->runs at the last look */
  int rests;                   /* looks in a row that saw no task run */
};

/* A task may run for so long before it is reported. Needs signals_open. */
int watchdog_open(struct host *host, unsigned limit_ms);
void watchdog_close(struct host *host);
void watchdog_wake(struct host *host); /* the loop has something to run */
/* For the signal handler: true if the running task is to be reported. */
bool watchdog_look(struct host *host);

#endif
