/* taker.c - a list of takers for each signal, and a flag that says it came.
 *
 * The handler only reads `first` and writes `came`: so a list is changed in one
 * store, and never holds what is half made. */
#include "host/taker.h"

#include <signal.h>
#include <stddef.h>

#include "host/signals.h"

static struct {
  struct taker *volatile first;
  volatile sig_atomic_t came;
  struct sigaction before; /* where it is not one of the host's own */
} signals[NSIG];

static volatile sig_atomic_t some_came;
static int alive; /* waits that keep the program alive */

const char *taker_obstacle(int number) {
#ifdef SIGRTMIN
  if (number > 31 && number < SIGRTMIN) return "the C library uses it itself";
#endif
  switch (number) {
    case SIGKILL:
    case SIGSTOP: return "no program can handle it";
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGABRT:
    case SIGSYS:
    case SIGTRAP: return "it says that the program itself is broken";
    case SIGCHLD: return "children are waited for with child:wait()";
    case SIGNAL_LOOK: return "the program uses it itself";
    default: return NULL;
  }
}

void taker_begin(struct taker *taker, int number) {
  struct taker *first = signals[number].first;
  taker->number = number;
  taker->next = first;
  taker->link = (struct taker **)&signals[number].first;
  if (first != NULL) first->link = &taker->next;
  signals[number].first = taker;
  if (first == NULL) signals_handle(number, &signals[number].before);
}

/* What has come, and nobody took: to whom it would have gone. */
static void end_last(int number) {
  signals_leave(number, &signals[number].before);
  if (!signals[number].came) return;
  signals[number].came = 0;
  raise(number);
}

void taker_end(struct taker *taker) {
  if (taker->link == NULL) return;
  *taker->link = taker->next;
  if (taker->next != NULL) taker->next->link = taker->link;
  taker->link = NULL;
  if (signals[taker->number].first == NULL) end_last(taker->number);
}

void taker_keep_alive(bool more) {
  alive += more ? 1 : -1;
  signals_keep_alive(alive > 0);
}

bool taker_came(int number) {
  if (signals[number].first == NULL) return false;
  signals[number].came = 1;
  some_came = 1;
  return true;
}

/* A taker may end itself when it is told, and no other. */
static void tell(int number) {
  signals[number].came = 0;
  for (struct taker *taker = signals[number].first, *next; taker != NULL;
       taker = next) {
    next = taker->next;
    taker->take(taker);
  }
}

void taker_tell(void) {
  if (!some_came) return;
  some_came = 0;
  for (int number = 1; number < NSIG; number++)
    if (signals[number].came) tell(number);
}

void taker_end_all(void) {
  for (int number = 1; number < NSIG; number++) {
    signals[number].came = 0;
    while (signals[number].first != NULL) taker_end(signals[number].first);
  }
  alive = 0;
}
