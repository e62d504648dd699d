/* job.c - the life of a job: from its box to a thread, and back to a task. */
#include "host/job.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <time.h>

#include "host/await.h"
#include "host/class.h"
#include "host/host.h"
#include "host/task.h"

enum { DELAY_MOST = 32 };

static const char class_name[] = "neap.job";

static void leave(struct job *job) {
  if (--job->users > 0) return;
  if (job->kind->free != NULL) job->kind->free(job);
  lua_State *L = job->host->L; /* NULL: closed, and all anchors with it */
  if (job->anchor != LUA_NOREF && L != NULL)
    luaL_unref(L, LUA_REGISTRYINDEX, job->anchor);
  free(job);
}

/* ---- in a thread: no Lua, no host ---------------------------------------- */

/* What the state owns, an anchor holds for the thread, but not beyond the end of
 * the state. Who begins to use it later than that leaves it alone. */
static void work(uv_work_t *uv) {
  struct job *job = uv->data;
  struct host *host = job->host;
  if (job->anchor == LUA_NOREF) {
    job->kind->work(job);
    return;
  }
  atomic_fetch_add(&host->borrowers, 1);
  if (atomic_load(&host->lends))
    job->kind->work(job);
  else
    job->status = UV_ECANCELED;
  atomic_fetch_sub(&host->borrowers, 1);
}

enum { BORROWERS_MS = 2000 };

bool job_end_borrowing(struct host *host) {
  static const struct timespec pause = {0, 1000 * 1000};
  uint64_t end = uv_hrtime() + BORROWERS_MS * (uint64_t)1000000;
  atomic_store(&host->lends, false);
  while (atomic_load(&host->borrowers) > 0) {
    if (uv_hrtime() > end) return false;
    nanosleep(&pause, NULL);
  }
  return true;
}

/* ---- on the loop: still no Lua ------------------------------------------- */

static void after(uv_work_t *uv, int status);

static void queue(struct job *job) {
  job->again = JOB_DONE;
  job->queued = true;
  int status = uv_queue_work(&job->host->loop, &job->uv, work, after);
  assert(status == 0); /* there is nothing in it that could fail */
  (void)status;
}

static void let_go(struct job *job) {
  if (job->kind->done != NULL) job->kind->done(job);
  leave(job);
}

static void end(struct job *job, int status) {
  if (job->waiter != NULL) task_wake(job->waiter, status);
  let_go(job);
}

static void on_awaited(void *data) {
  struct job *job = data;
  job->await = NULL;
  queue(job);
}

static int await(struct job *job) {
  if (job->again != JOB_LATER)
    return (job->owns_fd ? await_own_fd : await_fd)(
      &job->await, job->host, job->fd,
      job->again == JOB_READABLE ? UV_READABLE : UV_WRITABLE, on_awaited, job);
  if (job->delay_ms < DELAY_MOST) job->delay_ms = 2 * job->delay_ms + 1;
  return await_ms(&job->await, job->host, (uint64_t)job->delay_ms, on_awaited,
                  job);
}

static void after(uv_work_t *uv, int status) {
  struct job *job = uv->data;
  job->queued = false;
  if (status == 0 && job->again == JOB_MORE) {
    job->resumed = true;
    queue(job);
    return;
  }
  if (status == 0 && job->again != JOB_DONE && !job_is_given_up(job)) {
    status = await(job);
    if (status == 0) return;
  }
  end(job, status);
}

/* Nobody waits for it any more; it need not begin, if it has not. */
static void give_up(struct job *job) {
  if (job_is_given_up(job)) return;
  atomic_store_explicit(&job->given_up, true, memory_order_relaxed);
  if (job->queued && !job->resumed) uv_cancel((uv_req_t *)&job->uv);
  if (job->await == NULL && !job->pending) return;
  if (job->await != NULL) await_stop(job->await);
  job->await = NULL;
  job->pending = false;
  let_go(job);
}

void job_cancel(struct job *job) {
  if (job->waiter == NULL) return;
  task_wake(job->waiter, UV_ECANCELED);
  give_up(job);
}

bool job_interrupt(struct task *task) {
  give_up((struct job *)task->parked);
  return false;
}

bool job_interrupt_and_wait(struct task *task) {
  give_up((struct job *)task->parked);
  return true;
}

/* ---- begin --------------------------------------------------------------- */

void *job_push(lua_State *L, const struct job_kind *kind, size_t size) {
  struct job **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL; /* for collect, should the next lines raise */
  class_set(L, class_name);
  struct job *job = calloc(1, size);
  if (job == NULL) luaL_error(L, "not enough memory for a job");
  job->kind = kind;
  job->host = host_of(L);
  job->uv.data = job;
  job->users = 1;
  job->anchor = LUA_NOREF;
  *box = job;
  return job;
}

void job_anchor(lua_State *L, struct job *job) {
  job->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
}

int job_start(lua_State *L, struct job *job, int callback, int64_t limit_ms) {
  struct task *task = wait_begin(L, &job->kind->wait, callback);
  job->users++;
  queue(job);
  return wait_park(L, task, &job->waiter, limit_ms);
}

struct task *job_wait(lua_State *L, struct job *job, int callback) {
  struct task *task = wait_begin(L, &job->kind->wait, callback);
  job->users++;
  job->pending = true;
  return task;
}

void job_begin(struct job *job) {
  assert(job->pending);
  job->pending = false;
  queue(job);
}

/* ---- end ----------------------------------------------------------------- */

void *job_at(lua_State *L, int index) {
  return *(struct job **)lua_touserdata(L, index);
}

int job_status(lua_State *L, const struct job *job) {
  int status = wait_status(L);
  return status < 0 ? status : job->status;
}

void job_done(lua_State *L, int index) {
  struct job **box = lua_touserdata(L, index);
  leave(*box);
  *box = NULL;
}

static int collect(lua_State *L) {
  struct job **box = lua_touserdata(L, 1);
  if (*box == NULL) return 0;
  give_up(*box);
  job_done(L, 1);
  return 0;
}

static const luaL_Reg methods[] = {
  {NULL, NULL},
};

void job_open(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
