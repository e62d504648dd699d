/* names.h - the names that matter, in the directories that are watched for
 * them, and what has happened to each since somebody last asked.
 *
 * What is told of any other name is forgotten at once: so an editor's backup
 * wakes nobody, and the memory is bounded by what was asked for, however much
 * happens. In some directories all names matter. Of these each is remembered
 * until it is taken, and of a great many only that there were too many. */
#ifndef HOST_NAMES_H
#define HOST_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/notify.h"

struct host;

struct directory {
  struct notify_watch watch; /* first member */
  struct directory *next, **link;
  char *path;  /* one of them; NULL: all names in it matter */
  int number;  /* see notify_add */
  int entries; /* names that lead here */
  bool whole;  /* see notify_add */
  bool wanted, dropped;
};

struct name {
  struct name *next;      /* in its bucket */
  struct name *next_told; /* in names->told */
  struct directory *directory;
  int64_t id; /* never used again; 0: where all names matter */
  bool wanted, told;
  bool written;      /* its file is open, and not finished */
  bool vague;        /* it may be as it was: it was touched, or closed */
  bool closed;       /* by who had it open to write */
  bool is_directory; /* it became one */
  bool is_gone;      /* of no text, the directory itself: it is not watched */
  bool is_crowded;   /* of no text: too much has happened in it */
  char text[];
};

struct names {
  struct notify_subscriber subscriber; /* first member */
  struct directory *directories;
  struct name **buckets;
  unsigned bucket_count, count;
  struct name *told, **last_told; /* something has happened, oldest first */
  int64_t last_id;
  bool lost; /* something may have happened that we were not told of */
};

/* Then the names join, see notify.h; `done` is for whoever has them. */
void names_init(struct names *names);
/* Leaves. Idempotent. */
void names_free(struct names *names);
/* `whole` may have been asked for before. These two find or make it, and mark
 * it as wanted. */
int names_directory(struct names *names, const char *path, bool whole,
                    bool *is_new); /* its number, or a status below 0 */
struct name *names_name(struct names *names, struct directory *directory,
                        const char *text); /* NULL without memory */
/* Drops what was not wanted since the last time, and stops watching it. */
void names_sweep(struct names *names);

/* All names in it matter. */
int names_whole_directory(struct names *names, const char *path);
void names_drop(struct names *names, int number);

bool names_has_news(const struct names *names);
/* Takes the oldest of what has happened, or NULL; then it is to be let go. */
struct name *names_take(struct names *names);
void names_let_go(struct names *names, struct name *name);

#endif
