/* names.h - the names that matter, in the directories that are watched for
 * them, and what has happened to each since somebody last asked.
 *
 * What is told of any other name is forgotten at once: so an editor's backup
 * wakes nobody, and the memory is bounded by what was asked for, however much
 * happens. */
#ifndef MODULES_HOT_NAMES_H
#define MODULES_HOT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modules/hot/notify.h"

struct directory {
  struct directory *next;
  char *path; /* one of them */
  int number; /* see notify_add */
  bool whole; /* see notify_add */
  bool wanted, gone;
};

struct name {
  struct name *next;      /* in its bucket */
  struct name *next_told; /* in names->told */
  struct directory *directory;
  int64_t id; /* never used again */
  bool wanted, told;
  bool written; /* its file is open, and not finished */
  char text[];
};

enum { NAME_BUCKETS = 512 };

struct names {
  struct directory *directories;
  struct name *buckets[NAME_BUCKETS];
  struct name *told, **last_told; /* something has happened, oldest first */
  int64_t last_id;
  bool lost; /* something may have happened that we were not told of */
};

void names_init(struct names *names);
void names_free(struct names *names);
/* `whole` may have been asked for before. These two find or make it, and mark it as wanted; NULL without memory. */
struct directory *names_directory(struct names *names, int number,
                                  const char *path, bool whole, bool *is_new);
struct name *names_name(struct names *names, struct directory *directory,
                        const char *text);
/* Drops what was not wanted since the last time, and stops watching it. */
void names_sweep(struct names *names, int fd);

/* A notify_visit: the data are the names. */
void names_notice(void *data, enum notice notice, int directory,
                  const char *name);
bool names_has_news(const struct names *names);
/* Takes the oldest of what has happened, or NULL. */
const struct name *names_take(struct names *names);

#endif
