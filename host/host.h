/* host.h - one Lua state, one libuv loop, one queue of ready tasks.
 *
 * A process is one host. Everything in it runs on one thread, but for libuv's
 * thread pool and the watchdog, which touch no Lua. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdatomic.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "host/buffers.h"
#include "host/child.h"
#include "host/clock.h"
#include "host/flush.h"
#include "host/lobby.h"
#include "host/memory.h"
#include "host/origin.h"
#include "host/pool.h"
#include "host/queue.h"
#include "host/tidy.h"
#include "host/watchdog.h"

struct generation;
struct notify;
struct observer;
struct shuffle;
struct stream;
struct task;

enum host_phase {
  HOST_RUNNING,
  HOST_DRAINING, /* asked to end: what is in flight may finish */
  HOST_STOPPING  /* every task is cancelled, nothing starts any more */
};

enum { SCRATCH_SIZE = 65536 };

struct program {      /* what every generation runs, see main_task.h */
  lua_CFunction open; /* fills its realm */
  lua_CFunction main;
  void *context;
  double limit;      /* s: a new version is ready within, or never is */
  const char *fixed; /* why it cannot be loaded again, or NULL */
};

struct host {
  uv_loop_t loop;
  atomic_int borrowers; /* threads that use memory of the state, see job.c */
  atomic_bool lends;    /* more of them may begin */
  lua_State *L;         /* main state: for the host, between tasks */
  struct queue ready;   /* tasks whose results have arrived */
  struct queue batch;   /* those that run in this turn */
  struct lobby lobby;   /* what such tasks are to run */
  struct task *current; /* the task that runs Lua now, or NULL */
  lua_State *volatile running; /* and the innermost coroutine it runs in */
  struct pool pool;            /* coroutines and tasks to be used again */
  struct clock clock;          /* every timeout, one uv_timer */
  struct flush *flushes;       /* what is to be written before the next poll */
  struct buffers buffers;      /* for what is to be written */
  struct memory memory;        /* of Lua values */
  struct generation *generations; /* all that are not dead */
  struct generation *root;        /* owns what no program does */
  struct generation *live;        /* the program that serves, or NULL */
  struct generation *entered;     /* whose realm is in place */
  struct generation *ended;       /* their last work is done: to be reaped */
  struct children children;       /* the processes that we have started */
  struct program program;
  double started;             /* when it was opened: seconds since 1970 */
  uint64_t opened;            /* the same, by uv_hrtime */
  struct shuffle *shuffle;    /* the order of tasks, NULL: as they come */
  struct notify *notify;      /* tells of files, NULL: nobody asked */
  struct observer *observers; /* told of every phase and task event */
  struct source *sources;     /* names of files, see origin.h */
  int task_class;             /* a reference: the metatable of task objects */
  struct watchdog watchdog;   /* looks for tasks that hold the loop */
  volatile unsigned runs;     /* how often a task has been resumed */
  uint64_t next_task_id;
  uint64_t next_generation_id;
  struct stream *input;       /* standard input, once asked for, or NULL */
  unsigned peer_requests;     /* of libuv: what waits for a peer */
  unsigned forsaken_requests; /* of libuv: nobody waits, not even the end */
  unsigned errands;           /* programs that tasks wait for as for requests */
  bool has_sent;              /* since somebody last looked, to a peer */
  uint64_t failures;          /* tasks that ended in a reported error */
  uint64_t overruns;          /* tasks that held the loop for too long */
  struct tidy tidy;           /* gives memory back after a rush */
  struct timeout stop_limit;  /* of draining */
  int credit;                 /* immediate results before a task gives way */
  int exit_code;              /* that was asked for, or -1 */
  uint32_t spec;              /* the one that runs, under `neap test`; or 0 */
  enum host_phase phase;
  bool is_settled; /* it drains, and nothing is left that uses what lasts */
  bool polling;    /* inside uv_run: no Lua is running */
  bool has_luv;    /* with handles on our loop, see luv.h */
  bool blocked;    /* an outer C function forbids to wait */
  bool reports_leaks;
  char scratch[SCRATCH_SIZE]; /* every stream reads into it, one at a time */
};

/* `open` fills each new realm; it is called with an empty stack. */
int host_open(struct host *host, lua_CFunction open);
/* False: a thread is still in a request that nobody waits for, and may be for
 * long (a name server that does not answer). Then only the process can end: the
 * memory of the host is still used, and exit() would wait for the thread. */
bool host_close(struct host *host);
/* Something may still happen: but for what nobody waits for. */
bool host_is_alive(struct host *host);
/* What was asked for, or 1 if a task has failed, or 0. */
int host_exit_code(const struct host *host);
/* The running code is a finalizer: it interrupts whatever allocates memory, and
 * may neither wait, nor start anything, nor end the task it is not part of. */
bool host_in_finalizer(lua_State *L);

/* Every Lua thread of the state carries its host in its extra space. */
static inline struct host *host_of(lua_State *L) {
  return *(struct host **)lua_getextraspace(L);
}

#endif
