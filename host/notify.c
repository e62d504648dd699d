/* notify.c - from the descriptor to the subscribers. A directory is known by
 * the number that the system gave it, in a table that grows with them. */
#include "host/notify.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/closing.h"
#include "host/generation.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/inotify.h"

enum { BUCKETS_FIRST = 16 };

struct notify_directory {
  struct notify_directory *next; /* in its bucket */
  struct notify_watch *watches;  /* at least one */
  int number;
};

struct notify {
  struct handle handle; /* first member; work of the root */
  uv_poll_t poll;
  int fd;
  struct notify_directory **buckets;
  unsigned bucket_count, count;
  struct notify_subscriber *subscribers;
  struct notify_subscriber *told;
};

/* ---- the table of directories -------------------------------------------- */

static struct notify_directory **bucket_of(const struct notify *notify,
                                           int number) {
  return &notify->buckets[(unsigned)number % notify->bucket_count];
}

static struct notify_directory *find(const struct notify *notify, int number) {
  struct notify_directory *directory = *bucket_of(notify, number);
  while (directory != NULL && directory->number != number)
    directory = directory->next;
  return directory;
}

/* Without memory it stays as it is, and is slower. */
static void grow(struct notify *notify) {
  struct notify_directory **old = notify->buckets;
  unsigned count = notify->bucket_count;
  struct notify_directory **buckets =
    calloc(count * 2, sizeof(struct notify_directory *));
  if (buckets == NULL) return;
  notify->buckets = buckets;
  notify->bucket_count = count * 2;
  for (unsigned i = 0; i < count; i++) {
    while (old[i] != NULL) {
      struct notify_directory *directory = old[i];
      struct notify_directory **bucket = bucket_of(notify, directory->number);
      old[i] = directory->next;
      directory->next = *bucket;
      *bucket = directory;
    }
  }
  free(old);
}

static struct notify_directory *add(struct notify *notify, int number) {
  struct notify_directory *directory = calloc(1, sizeof *directory);
  if (directory == NULL) return NULL;
  if (notify->count >= notify->bucket_count) grow(notify);
  struct notify_directory **bucket = bucket_of(notify, number);
  directory->number = number;
  directory->next = *bucket;
  *bucket = directory;
  notify->count++;
  return directory;
}

static void drop(struct notify *notify, struct notify_directory *directory) {
  struct notify_directory **link = bucket_of(notify, directory->number);
  while (*link != directory) link = &(*link)->next;
  *link = directory->next;
  notify->count--;
  free(directory);
}

/* The system watches it no more. */
static void forget(struct notify *notify, struct notify_directory *directory) {
  for (struct notify_watch *watch = directory->watches; watch != NULL;
       watch = watch->next)
    watch->directory = NULL;
  drop(notify, directory);
}

/* ---- what is told -------------------------------------------------------- */

static void mark(struct notify_subscriber *subscriber) {
  struct notify *notify = subscriber->notify;
  if (subscriber->told) return;
  subscriber->told = true;
  subscriber->next_told = notify->told;
  notify->told = subscriber;
}

static void tell(struct notify_subscriber *subscriber,
                 struct notify_watch *watch, enum notice notice,
                 const char *name) {
  subscriber->notice(subscriber, watch, notice, name);
  mark(subscriber);
}

static void visit(void *data, enum notice notice, int number,
                  const char *name) {
  struct notify *notify = data;
  if (notice == NOTICE_OVERFLOW) {
    for (struct notify_subscriber *subscriber = notify->subscribers;
         subscriber != NULL; subscriber = subscriber->next)
      tell(subscriber, NULL, notice, name);
    return;
  }
  struct notify_directory *directory = find(notify, number);
  if (directory == NULL) return; /* no longer watched */
  for (struct notify_watch *watch = directory->watches; watch != NULL;
       watch = watch->next)
    tell(watch->subscriber, watch, notice, name);
  if (notice == NOTICE_GONE) forget(notify, directory);
}

/* They may leave while they are told: so the list is taken one by one. */
static void tell_done(struct notify *notify) {
  while (notify->told != NULL) {
    struct notify_subscriber *subscriber = notify->told;
    notify->told = subscriber->next_told;
    subscriber->told = false;
    subscriber->done(subscriber);
  }
}

static void break_off(struct notify *notify, int status) {
  uv_poll_stop(&notify->poll);
  for (struct notify_subscriber *subscriber = notify->subscribers;
       subscriber != NULL; subscriber = subscriber->next) {
    subscriber->broken = status;
    mark(subscriber);
  }
}

void notify_read(struct notify *notify) {
  if (notify == NULL || notify->handle.closing) return;
  handle_use(&notify->handle);
  int status = inotify_tell(notify->fd, visit, notify);
  if (status < 0) break_off(notify, status);
  tell_done(notify);
  handle_leave(&notify->handle);
}

static void on_readable(uv_poll_t *uv, int status, int events) {
  (void)status, (void)events; /* reading will tell */
  notify_read(uv->data);
}

/* ---- its life ------------------------------------------------------------ */

/* In a thread: Linux waits for all processors, which takes it some 10 ms. (At
 * the end nobody else is held, and a thread may be long in coming.) */
static void close_descriptor(struct host *host, int fd) {
  if (host->phase == HOST_STOPPING)
    close(fd);
  else
    close_in_thread(host, fd);
}

static void on_close(struct handle *h) {
  struct notify *notify = (struct notify *)h;
  h->host->notify = NULL;
  uv_poll_stop(&notify->poll);
  close_descriptor(h->host, notify->fd);
  for (unsigned i = 0; i < notify->bucket_count; i++)
    while (notify->buckets[i] != NULL) forget(notify, notify->buckets[i]);
  while (notify->subscribers != NULL) {
    struct notify_subscriber *subscriber = notify->subscribers;
    notify->subscribers = subscriber->next;
    subscriber->notify = NULL;
    subscriber->told = false;
    subscriber->broken = UV_ECANCELED;
  }
  notify->told = NULL;
}

static void on_free(struct handle *h) {
  free(((struct notify *)h)->buckets);
}

static const struct work_kind kind = {.name = "notify", .stop = handle_stop};

static int start(struct host *host, struct notify *notify) {
  notify->bucket_count = BUCKETS_FIRST;
  notify->buckets = calloc(BUCKETS_FIRST, sizeof(struct notify_directory *));
  if (notify->buckets == NULL) return UV_ENOMEM;
  notify->fd = inotify_open();
  if (notify->fd < 0) return notify->fd;
  int status = uv_poll_init(&host->loop, &notify->poll, notify->fd);
  if (status < 0) close(notify->fd);
  return status;
}

static int open_notify(struct host *host) {
  struct notify *notify = handle_new(host, sizeof *notify);
  if (notify == NULL) return UV_ENOMEM;
  int status = start(host, notify);
  if (status < 0) {
    free(notify->buckets);
    free(notify);
    return status;
  }
  notify->handle.on_close = on_close;
  notify->handle.on_free = on_free;
  handle_open(&notify->handle, &notify->poll, &kind, &host->root->background);
  uv_poll_start(&notify->poll, UV_READABLE, on_readable);
  uv_unref((uv_handle_t *)&notify->poll);
  host->notify = notify;
  return 0;
}

/* ---- subscribers --------------------------------------------------------- */

int notify_join(struct host *host, struct notify_subscriber *subscriber) {
  assert(subscriber->notify == NULL);
  if (host->notify == NULL) {
    int status = open_notify(host);
    if (status < 0) return status;
  }
  struct notify *notify = host->notify;
  subscriber->notify = notify;
  subscriber->broken = 0;
  subscriber->next = notify->subscribers;
  subscriber->link = &notify->subscribers;
  if (subscriber->next != NULL) subscriber->next->link = &subscriber->next;
  notify->subscribers = subscriber;
  return 0;
}

static void leave_told(struct notify *notify,
                       const struct notify_subscriber *subscriber) {
  struct notify_subscriber **link = &notify->told;
  if (!subscriber->told) return;
  while (*link != subscriber) link = &(*link)->next_told;
  *link = subscriber->next_told;
}

void notify_leave(struct notify_subscriber *subscriber) {
  struct notify *notify = subscriber->notify;
  if (notify == NULL) return;
  leave_told(notify, subscriber);
  *subscriber->link = subscriber->next;
  if (subscriber->next != NULL) subscriber->next->link = subscriber->link;
  subscriber->notify = NULL;
  if (notify->subscribers == NULL) handle_close(&notify->handle);
}

struct notify_watch *notify_find(const struct notify_subscriber *subscriber,
                                 int number) {
  const struct notify *notify = subscriber->notify;
  if (notify == NULL || number < 0) return NULL;
  const struct notify_directory *directory = find(notify, number);
  struct notify_watch *watch = directory != NULL ? directory->watches : NULL;
  while (watch != NULL && watch->subscriber != subscriber) watch = watch->next;
  return watch;
}

int notify_add(struct notify_subscriber *subscriber, const char *path,
               bool whole, struct notify_watch *watch,
               struct notify_watch **known) {
  struct notify *notify = subscriber->notify;
  *known = NULL;
  if (notify == NULL) return UV_ECANCELED;
  if (subscriber->broken < 0) return subscriber->broken;
  int number = inotify_watch(notify->fd, path, whole);
  if (number < 0) return number;
  *known = notify_find(subscriber, number);
  if (*known != NULL) return number;
  struct notify_directory *directory = find(notify, number);
  if (directory == NULL) directory = add(notify, number);
  if (directory == NULL) {
    inotify_forget(notify->fd, number);
    return UV_ENOMEM;
  }
  watch->subscriber = subscriber;
  watch->directory = directory;
  watch->next = directory->watches;
  directory->watches = watch;
  return number;
}

void notify_remove(struct notify_watch *watch) {
  struct notify_directory *directory = watch->directory;
  struct notify *notify = watch->subscriber->notify;
  if (directory == NULL || notify == NULL) return;
  struct notify_watch **link = &directory->watches;
  while (*link != watch) link = &(*link)->next;
  *link = watch->next;
  watch->directory = NULL;
  if (directory->watches != NULL) return;
  inotify_forget(notify->fd, directory->number);
  drop(notify, directory);
}
