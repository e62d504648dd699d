/* run.c - a call: short work is done on the loop, the rest in a thread.
 *
 * The job has the coder, and anchors its input, so a task that is cancelled
 * leaves both to the thread. What would have come of it is lost then, and so a
 * coder of which a call was given up has failed. */
#include <lauxlib.h>
#include <uv.h>

#include "host/codec/feed.h"
#include "host/job.h"
#include "modules/compress/coder.h"

/* Bytes, in and out: on the loop, and in a thread until others have a turn. */
enum { BUDGET_LOOP = 1 << 16, BUDGET_THREAD = 1 << 21 };

struct run {
  struct job job; /* first member */
  struct coder *coder;
  struct feed feed;
};

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static void work(struct job *job) {
  struct run *run = (struct run *)job;
  int result = UV_ECANCELED;
  if (!job_is_given_up(job)) result = feed_some(&run->feed, BUDGET_THREAD);
  job->again = result == FEED_MORE ? JOB_MORE : JOB_DONE;
  job->status = result < 0 ? result : 0;
}

/* ---- on the loop --------------------------------------------------------- */

/* No more of it will be done. */
static void settle(struct run *run, int status) {
  struct coder *coder = run->coder;
  if (status == UV_ECANCELED)
    coder_fail(coder, status, "a call was cancelled");
  else if (status < 0)
    coder_fail(coder, status, coder->codec->why);
  else if (run->feed.step == CODEC_FINISH)
    coder_end(coder);
  if (status == 0 && !coder->per_call && coder->limit != SIZE_MAX)
    coder->limit -= run->feed.output.size;
}

static void done(struct job *job) {
  struct run *run = (struct run *)job;
  run->coder->run = NULL;
  settle(run, job_is_given_up(job) ? UV_ECANCELED : job->status);
}

static void let_go(struct job *job) {
  struct run *run = (struct run *)job;
  feed_free(&run->feed);
  if (run->coder != NULL) coder_leave(run->coder);
}

/* ---- the call ------------------------------------------------------------ */

/* Its box is last: so it is for all of them. */
static int finish(lua_State *L) {
  int top = lua_gettop(L);
  struct run *run = job_at(L, top);
  int status = job_status(L, &run->job), count = 1;
  if (status == 0) {
    lua_pushlstring(L, (const char *)run->feed.output.data,
                    run->feed.output.size);
  } else {
    struct coder failed = *run->coder;
    failed.status = status;
    if (status == UV_ECANCELED) failed.why = NULL;
    count = coder_push_failure(L, &failed);
  }
  job_done(L, top);
  return count;
}

#define KIND(name)                                                             \
  {                                                                            \
    .wait = {name, finish, job_interrupt}, .work = work, .free = let_go,       \
    .done = done                                                               \
  }

static const struct job_kind kinds[][2] = {
  [CODEC_WRITE] = {KIND("write"), KIND("write")},
  [CODEC_FLUSH] = {KIND("flush"), KIND("flush")},
  [CODEC_FINISH] = {KIND("decode"), KIND("encode")},
};

/* What failed before, or was given up while a thread was at it. */
static bool has_failed(struct run *run) {
  const struct coder *coder = run->coder;
  run->job.status = coder->run != NULL ? UV_ECANCELED : coder->status;
  return run->job.status != 0;
}

/* Whether all of it was done here and now: then the status is there. */
static bool run_here(struct run *run) {
  struct coder *coder = run->coder;
  if (has_failed(run)) return true;
  struct codec *codec = coder->codec;
  size_t budget = coder->encodes ? SIZE_MAX : BUDGET_LOOP;
  if (codec_cost(codec, run->feed.left, run->feed.step) > codec->at_most)
    return false;
  int result = feed_some(&run->feed, budget);
  if (result == FEED_MORE) return false;
  run->job.status = result;
  settle(run, result);
  return true;
}

/* ..., data, box, callback */
static struct run *push_run(lua_State *L, struct coder *coder,
                            enum codec_step step, int first) {
  const struct job_kind *kind = &kinds[step][coder->encodes];
  struct run *run = job_push(L, kind, sizeof *run);
  lua_replace(L, first + 1);
  coder->users++;
  run->coder = coder;
  run->feed =
    (struct feed){.codec = coder->codec, .step = step, .limit = coder->limit};
  run->feed.in = (const uint8_t *)lua_tolstring(L, first, &run->feed.left);
  lua_pushvalue(L, first);
  job_anchor(L, &run->job);
  return run;
}

int coder_start(lua_State *L, struct coder *coder, enum codec_step step,
                int first) {
  struct run *run = push_run(L, coder, step, first);
  struct task *task = job_wait(L, &run->job, first + 2);
  if (run_here(run)) {
    run->job.pending = false;
    run->job.users--;
    return wait_pass(L, task, &run->job.waiter);
  }
  coder->run = run;
  job_begin(&run->job);
  return wait_park(L, task, &run->job.waiter, WAIT_FOREVER);
}

bool coder_is_busy(const struct coder *coder) {
  return coder->run != NULL && !job_is_given_up(&coder->run->job);
}

void coder_cancel(struct coder *coder) {
  if (coder->run != NULL) job_cancel(&coder->run->job);
}
