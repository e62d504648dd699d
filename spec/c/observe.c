/* observe.c - observers are told of each phase of the loop and of each step in
 * the life of a task; when nobody watches, nothing is. */
#include "host/observe.h"

#include <string.h>

#include "spec/c/machine.h"

struct watcher {
  struct observer observer; /* first member */
  int phases[2];
  int events[OBSERVE_FAILED + 1];
  char story[256]; /* of one task, a letter an event */
  uint64_t id;     /* of that task; 0: the next one that is spawned */
  uint64_t last_ns;
};

static void on_phase(struct observer *self, enum observe_phase phase,
                     uint64_t ns) {
  struct watcher *watcher = (struct watcher *)self;
  watcher->phases[phase]++;
  assert(ns >= watcher->last_ns);
  watcher->last_ns = ns;
}

static void on_task(struct observer *self, const struct task *task,
                    enum observe_event event, uint64_t ns) {
  struct watcher *watcher = (struct watcher *)self;
  watcher->events[event]++;
  assert(ns >= watcher->last_ns);
  watcher->last_ns = ns;
  if (watcher->id == 0 && event == OBSERVE_SPAWNED) watcher->id = task->id;
  if (task->id != watcher->id) return;
  size_t length = strlen(watcher->story);
  assert(length + 1 < sizeof watcher->story);
  watcher->story[length] = "+wrs-!"[event];
}

static void watch(struct host *host, struct watcher *watcher) {
  memset(watcher, 0, sizeof *watcher);
  watcher->observer.on_phase = on_phase;
  watcher->observer.on_task = on_task;
  observe_add(host, &watcher->observer);
}

static struct watcher run(const char *text) {
  struct host *host = machine_open(30);
  struct watcher watcher;
  watch(host, &watcher);
  machine_start(host, &host->root->background, text);
  loop_run(host);
  observe_remove(host, &watcher.observer);
  machine_close(host);
  return watcher;
}

/* + spawned, w woken, r resumed, s suspended, - returned, ! failed */
static void expect(const char *text, const char *story) {
  struct watcher watcher = run(text);
  if (strcmp(watcher.story, story) != 0)
    fprintf(stderr, "%s: %s\n", text, watcher.story);
  assert(strcmp(watcher.story, story) == 0);
}

static void test_stories(void) {
  expect("", "+r-");
  expect("require('neap.timer').sleep(0.001)", "+rswr-");
  expect("for _ = 1, 3 do require('neap.timer').sleep(0) end", "+rwsrwsrwsr-");
  expect("require('neap').on_error(type) error 'e'", "+r!");
  expect("local task = require('neap').go(type, 1) task:join()", "+rswr-");
}

static void test_counts(void) {
  struct watcher watcher =
    run("local neap, timer = require 'neap', require 'neap.timer'\n"
        "for i = 1, 10 do neap.go(timer.sleep, i / 1000) end\n"
        "neap.go(timer.sleep, 1000):cancel()\n");
  assert(watcher.events[OBSERVE_SPAWNED] == 12);
  assert(watcher.events[OBSERVE_RETURNED] == 12);
  assert(watcher.events[OBSERVE_FAILED] == 0);
  assert(watcher.events[OBSERVE_RESUMED] ==
         watcher.events[OBSERVE_SUSPENDED] + 11);
  assert(watcher.phases[OBSERVE_POLL] > 1);
  assert(watcher.phases[OBSERVE_DISPATCH] >= watcher.phases[OBSERVE_POLL]);
}

/* Some may be told of one kind only, and may leave in any order. */
static void test_several(void) {
  struct host *host = machine_open(30);
  struct watcher a, b, c;
  watch(host, &a);
  watch(host, &b);
  watch(host, &c);
  b.observer.on_phase = NULL;
  c.observer.on_task = NULL;
  machine_start(host, &host->root->background, "");
  observe_remove(host, &a.observer);
  observe_remove(host, &a.observer); /* no matter */
  loop_dispatch(host);
  assert(a.events[OBSERVE_SPAWNED] == 1 && a.events[OBSERVE_RESUMED] == 0);
  assert(b.events[OBSERVE_RETURNED] == 1 && b.phases[OBSERVE_DISPATCH] == 0);
  assert(c.events[OBSERVE_RETURNED] == 0 && c.phases[OBSERVE_DISPATCH] == 1);
  observe_remove(host, &c.observer);
  observe_remove(host, &b.observer);
  assert(host->observers == NULL);
  machine_start(host, &host->root->background, "");
  loop_run(host);
  assert(b.events[OBSERVE_SPAWNED] == 1);
  machine_close(host);
}

int main(void) {
  test_stories();
  test_counts();
  test_several();
  puts("observe: ok");
  return 0;
}
