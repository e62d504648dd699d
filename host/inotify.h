/* inotify.h - the calls of the system that tell of names in directories: one
 * descriptor for all of them, to be polled. For notify.c alone. Elsewhere than
 * on Linux inotify_open fails, and whoever watches has to look. */
#ifndef HOST_INOTIFY_H
#define HOST_INOTIFY_H

#include <stdbool.h>

#include "host/notify.h"

int inotify_open(void); /* a descriptor; or a status below 0, as all here */
/* `whole`: also of what is written. The number of the directory: the same one
 * for the same directory, however it is called. May be repeated. */
int inotify_watch(int fd, const char *directory, bool whole);
void inotify_forget(int fd, int directory);
/* Reads what is there, or much of it. */
typedef void inotify_visit(void *data, enum notice notice, int directory,
                           const char *name);
int inotify_tell(int fd, inotify_visit *visit, void *data);

#endif
