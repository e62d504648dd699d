/* child.c - see child.h. */
#include "host/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/signals.h"
#include "host/wait.h"

/* ---- the list of those that run ------------------------------------------ */

static void set_held(struct child *child, bool held) {
  struct children *children = &child->handle.host->children;
  if (child->held == held) return;
  child->held = held;
  children->held += held ? 1 : -1U;
  if (children->held > 0)
    uv_ref((uv_handle_t *)&children->uv);
  else
    uv_unref((uv_handle_t *)&children->uv);
}

/* One store at a time: see children_kill. */
static void add(struct child *child) {
  struct children *children = &child->handle.host->children;
  child->next = children->first;
  child->link = &children->first;
  if (child->next != NULL) child->next->link = &child->next;
  children->first = child;
  set_held(child, !child->detached);
}

static void drop(struct child *child) {
  if (child->link == NULL) return;
  *child->link = child->next;
  if (child->next != NULL) child->next->link = child->link;
  child->link = NULL;
  set_held(child, false);
}

bool child_runs(const struct child *child) {
  return child->link != NULL;
}

void child_hold(struct child *child) {
  if (child_runs(child)) set_held(child, true);
}

/* ---- its end ------------------------------------------------------------- */

int child_signal(const struct child *child, int number) {
  if (!child_runs(child)) return UV_ESRCH;
  int pid = child->shares ? child->pid : -child->pid;
  return kill(pid, number) == 0 ? 0 : uv_translate_sys_error(errno);
}

static void end_over(struct child *child) {
  drop(child);
  wait_wake_all(child->waiters, 0);
  if (child->on_over != NULL) child->on_over(child);
  handle_close(&child->handle);
}

/* Its pid is its own as long as it has not been waited for. */
static bool has_ended(const struct child *child) {
  siginfo_t info = {.si_pid = 0};
  int status =
    waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
  return status == 0 && info.si_pid == child->pid;
}

/* False: it still runs. */
static bool wait_for(struct child *child, int flags) {
  int status;
  pid_t pid;
  do pid = waitpid(child->pid, &status, flags);
  while (pid < 0 && errno == EINTR);
  if (pid == 0) return false;
  if (pid < 0) { /* somebody else has waited for it */
    child->status = 255;
  } else if (WIFSIGNALED(status)) {
    child->signal = WTERMSIG(status);
    child->status = 128 + child->signal;
  } else {
    child->status = WEXITSTATUS(status);
  }
  end_over(child);
  return true;
}

static void reap(struct child *child) {
  if (child->ending && !child->shares && has_ended(child))
    kill(-child->pid, SIGKILL);
  wait_for(child, WNOHANG);
}

void child_kill(struct child *child) {
  if (!child_runs(child)) return;
  child_signal(child, SIGKILL);
  wait_for(child, 0);
}

static void on_child_signal(uv_signal_t *uv, int number) {
  struct children *children = uv->data;
  (void)number;
  for (struct child *child = children->first, *next; child != NULL;
       child = next) {
    next = child->next;
    reap(child);
  }
}

/* From this very moment: the loop's time is that of when its turn began. */
static void set_timer(struct child *child, uv_timer_cb fire, uint64_t ms) {
  uint64_t now = uv_now(child->timer.loop), exact = uv_hrtime() / 1000000;
  uint64_t behind = exact > now ? exact - now : 0;
  uv_timer_start(&child->timer, fire, behind + ms, 0);
}

static void on_grace(uv_timer_t *timer) {
  child_signal(timer->data, SIGKILL);
}

/* One that is stopped must go on to see it. */
void child_end(struct child *child) {
  if (!child_runs(child) || child->ending) return;
  child->ending = true;
  child_signal(child, SIGTERM);
  child_signal(child, SIGCONT);
  set_timer(child, on_grace, CHILD_GRACE_MS);
}

static void on_limit(uv_timer_t *timer) {
  struct child *child = timer->data;
  child->is_late = !child->ending;
  child_end(child);
}

void child_limit(struct child *child, uint64_t ms) {
  if (child_runs(child) && !child->ending) set_timer(child, on_limit, ms);
}

/* ---- as work ------------------------------------------------------------- */

static void end_handle(struct handle *h) {
  struct child *child = (struct child *)h;
  if (child_runs(child))
    child_end(child);
  else
    handle_close(h);
}

static void stop(struct work *work) {
  struct child *child = (struct child *)work;
  if (child->detached) drop(child);
  end_handle(&child->handle);
}

static const struct work_kind kind = {
  .name = "child", .stop = stop, .lasts = true};

/* ---- its beginning ------------------------------------------------------- */

static int open_children(struct host *host) {
  struct children *children = &host->children;
  if (children->open) return 0;
  int status = uv_signal_init(&host->loop, &children->uv);
  if (status < 0) return status;
  children->uv.data = children;
  children->open = true;
  uv_unref((uv_handle_t *)&children->uv);
  signals_end_on_hang_up();
  return uv_signal_start(&children->uv, on_child_signal, SIGCHLD);
}

struct child *child_new(struct host *host, size_t size, struct owner *owner,
                        bool detached) {
  struct child *child = handle_new(host, size);
  if (child == NULL) return NULL;
  uv_timer_init(&host->loop, &child->timer);
  uv_unref((uv_handle_t *)&child->timer);
  child->detached = detached;
  child->handle.end = end_handle;
  if (detached) owner = &host->root->background;
  handle_open(&child->handle, &child->timer, &kind, owner);
  return child;
}

int child_start(struct child *child, const struct launch *l) {
  int pid = open_children(child->handle.host);
  if (pid == 0) pid = launch(l);
  if (pid < 0) return pid;
  child->pid = pid;
  child->shares = l->shares;
  child->handle.rooted = true;
  add(child);
  return 0;
}

/* ---- the end of the program ---------------------------------------------- */

void children_kill(struct host *host) {
  for (struct child *child = host->children.first; child != NULL;
       child = child->next)
    if (!child->detached)
      kill(child->shares ? child->pid : -child->pid, SIGKILL);
}

void children_close(struct host *host) {
  struct children *children = &host->children;
  if (!children->open) return;
  while (children->first != NULL) uv_run(&host->loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&children->uv, NULL);
}
