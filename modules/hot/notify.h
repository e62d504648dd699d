/* notify.h - what the system tells of names in directories, where it does: one
 * descriptor for all of them, to be polled. Elsewhere notify_open fails, and
 * whoever watches has to look. */
#ifndef MODULES_HOT_NOTIFY_H
#define MODULES_HOT_NOTIFY_H

#include <stdbool.h>

enum notice {
  NOTICE_DONE,     /* another file has that name, or none, or it was closed */
  NOTICE_CREATED,  /* a name is new: somebody may still write that file */
  NOTICE_WRITTEN,  /* and has it open */
  NOTICE_TOUCHED,  /* who may read it, its times */
  NOTICE_MOVED,    /* the directory itself is not where it was; no name */
  NOTICE_GONE,     /* and is no longer watched; no name */
  NOTICE_OVERFLOW, /* some are missing; no directory, no name */
};

int notify_open(void); /* a descriptor; or a status below 0, as all here */
/* `whole`: also of what is written. The number of the directory: the same one
 * for the same directory, however it is called. May be repeated. */
int notify_add(int fd, const char *directory, bool whole);
void notify_remove(int fd, int directory);
/* Reads what is there, or much of it. */
typedef void notify_visit(void *data, enum notice notice, int directory,
                          const char *name);
int notify_read(int fd, notify_visit *visit, void *data);

#endif
