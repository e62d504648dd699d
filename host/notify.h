/* notify.h - what the system tells of names in directories, where it does: one
 * descriptor for the whole process, however many watch.
 *
 * Whoever wants to know is a subscriber, and has a watch for each directory. A
 * directory that several subscribers watch is watched once by the system, until
 * the last of them leaves it. The descriptor is there while there is a
 * subscriber; it keeps no program alive. */
#ifndef HOST_NOTIFY_H
#define HOST_NOTIFY_H

#include <stdbool.h>

struct host;
struct notify;
struct notify_directory;
struct notify_subscriber;

enum notice {
  NOTICE_DONE,      /* another file has that name, or none */
  NOTICE_CLOSED,    /* whoever had it open to write has closed it */
  NOTICE_CREATED,   /* a name is new: somebody may still write that file */
  NOTICE_WRITTEN,   /* and has it open */
  NOTICE_TOUCHED,   /* who may read it, its times */
  NOTICE_DIRECTORY, /* a directory has that name now */
  NOTICE_MOVED,     /* the directory itself is not where it was; no name */
  NOTICE_GONE,      /* and is no longer watched; no name */
  NOTICE_OVERFLOW,  /* some are missing; no watch, no name */
};

struct notify_watch { /* of one subscriber, in one directory */
  struct notify_subscriber *subscriber;
  struct notify_directory *directory; /* NULL: it is gone */
  struct notify_watch *next;          /* in the same directory */
};

struct notify_subscriber {
  /* On the loop: no Lua. It may neither watch nor leave. */
  void (*notice)(struct notify_subscriber *subscriber,
                 struct notify_watch *watch, enum notice notice,
                 const char *name);
  /* After one or several of these. */
  void (*done)(struct notify_subscriber *subscriber);
  struct notify *notify; /* NULL: it is none */
  struct notify_subscriber *next, **link, *next_told;
  void *data; /* the subscriber's own */
  bool told;
  int broken; /* why nothing will be told any more, or 0 */
};

/* A status below 0: nothing will be told. */
int notify_join(struct host *host, struct notify_subscriber *subscriber);
/* It has left all directories before. Idempotent. */
void notify_leave(struct notify_subscriber *subscriber);
/* Its number, the same one for the same directory, however it is called; or a
 * status below 0. Where this subscriber watches it already that one is in
 * *known, and nothing is done with `watch`. `whole`: also of what is written. */
int notify_add(struct notify_subscriber *subscriber, const char *path,
               bool whole, struct notify_watch *watch,
               struct notify_watch **known);
void notify_remove(struct notify_watch *watch); /* idempotent */
/* What a subscriber has in the directory of that number, or NULL. */
struct notify_watch *notify_find(const struct notify_subscriber *subscriber,
                                 int number);
/* Tells now what the system has to tell. */
void notify_read(struct notify *notify);

#endif
