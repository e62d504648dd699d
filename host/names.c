/* names.c - two sets, of directories and of names in them. A name that is told
 * of is in the list `told` once, whatever happens to it, until it is taken. A
 * directory is in memory as long as a name leads to it. */
#include "host/names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "host/fingerprint.h"

enum {
  BUCKETS_FIRST = 16,
  NAMES_MOST = 8192 /* where all matter; more are too many */
};

/* ---- directories --------------------------------------------------------- */

static void free_unused(struct directory *directory) {
  if (!directory->dropped || directory->entries > 0) return;
  free(directory->path);
  free(directory);
}

static void drop_directory(struct directory *directory) {
  notify_remove(&directory->watch);
  *directory->link = directory->next;
  if (directory->next != NULL) directory->next->link = directory->link;
  directory->dropped = true;
  free_unused(directory);
}

/* It may have been moved, and be where another one was. */
static bool set_path(struct directory *directory, const char *path) {
  if (directory->path != NULL && strcmp(directory->path, path) == 0)
    return true;
  char *copy = strdup(path);
  if (copy == NULL) return false;
  free(directory->path);
  directory->path = copy;
  return true;
}

static void link_directory(struct names *names, struct directory *directory) {
  directory->next = names->directories;
  directory->link = &names->directories;
  if (directory->next != NULL) directory->next->link = &directory->next;
  names->directories = directory;
}

/* Finds or makes it; a status below 0. */
static int add_directory(struct names *names, const char *path, bool whole,
                         struct directory **found) {
  struct directory *fresh = calloc(1, sizeof *fresh);
  struct notify_watch *known;
  if (fresh == NULL) return UV_ENOMEM;
  int number =
    notify_add(&names->subscriber, path, whole, &fresh->watch, &known);
  if (number < 0 || known != NULL) {
    free(fresh);
    *found = (struct directory *)known;
    return number;
  }
  fresh->number = number;
  link_directory(names, fresh);
  *found = fresh;
  return number;
}

int names_directory(struct names *names, const char *path, bool whole,
                    bool *is_new) {
  struct directory *directory;
  int number = add_directory(names, path, whole, &directory);
  if (number < 0) return number;
  *is_new = directory->path == NULL;
  if (!set_path(directory, path)) {
    if (*is_new) drop_directory(directory);
    return UV_ENOMEM;
  }
  directory->whole = directory->whole || whole;
  directory->wanted = true;
  return number;
}

int names_whole_directory(struct names *names, const char *path) {
  struct directory *directory;
  int number = add_directory(names, path, true, &directory);
  if (number >= 0) directory->whole = true;
  return number;
}

void names_drop(struct names *names, int number) {
  struct notify_watch *watch = notify_find(&names->subscriber, number);
  if (watch != NULL) drop_directory((struct directory *)watch);
}

/* ---- names --------------------------------------------------------------- */

static struct name **bucket_of(const struct names *names,
                               const struct directory *directory,
                               const char *text) {
  struct fingerprint hash = fingerprint_bytes(text, strlen(text));
  fingerprint_add(&hash, &directory->number, sizeof directory->number);
  return &names->buckets[(hash.hash ^ hash.hash >> 32) % names->bucket_count];
}

static struct name *find_name(const struct names *names,
                              const struct directory *directory,
                              const char *text) {
  if (names->bucket_count == 0) return NULL;
  struct name *name = *bucket_of(names, directory, text);
  while (name != NULL &&
         (name->directory != directory || strcmp(name->text, text) != 0))
    name = name->next;
  return name;
}

/* Without memory it stays as it is, and is slower. */
static bool grow(struct names *names) {
  struct name **old = names->buckets;
  unsigned count = names->bucket_count;
  unsigned wanted = count == 0 ? BUCKETS_FIRST : count * 2;
  struct name **buckets = calloc(wanted, sizeof(struct name *));
  if (buckets == NULL) return count > 0;
  names->buckets = buckets;
  names->bucket_count = wanted;
  for (unsigned i = 0; i < count; i++) {
    while (old[i] != NULL) {
      struct name *name = old[i];
      struct name **bucket = bucket_of(names, name->directory, name->text);
      old[i] = name->next;
      name->next = *bucket;
      *bucket = name;
    }
  }
  free(old);
  return true;
}

static struct name *add_name(struct names *names, struct directory *directory,
                             const char *text) {
  size_t size = strlen(text) + 1;
  if (names->count >= names->bucket_count && !grow(names)) return NULL;
  struct name *name = calloc(1, sizeof *name + size);
  if (name == NULL) return NULL;
  memcpy(name->text, text, size);
  struct name **bucket = bucket_of(names, directory, text);
  name->directory = directory;
  name->next = *bucket;
  *bucket = name;
  names->count++;
  directory->entries++;
  return name;
}

static void free_name(struct names *names, struct name **link) {
  struct name *name = *link;
  *link = name->next;
  names->count--;
  name->directory->entries--;
  free_unused(name->directory);
  free(name);
}

struct name *names_name(struct names *names, struct directory *directory,
                        const char *text) {
  struct name *name = find_name(names, directory, text);
  if (name == NULL) {
    name = add_name(names, directory, text);
    if (name == NULL) return NULL;
    name->id = ++names->last_id;
  }
  name->wanted = true;
  return name;
}

/* ---- what happens -------------------------------------------------------- */

static void tell(struct names *names, struct name *name, bool vague) {
  name->vague = vague && (name->vague || !name->told);
  if (name->told) return;
  name->told = true;
  name->next_told = NULL;
  *names->last_told = name;
  names->last_told = &name->next_told;
}

static void tell_all_in(struct names *names, const struct directory *in) {
  for (unsigned i = 0; i < names->bucket_count; i++)
    for (struct name *name = names->buckets[i]; name; name = name->next)
      if (name->directory == in) tell(names, name, false);
}

/* Whoever opens a new file to write will close it, and we are told of that; not
 * so of a link, nor of a second name for a file. Where all names matter these
 * are told of a little late: nobody looks at so many here. */
static bool is_being_written(const struct name *name) {
  char path[PATH_MAX];
  struct stat status;
  if (!name->directory->whole) return false;
  if (name->directory->path == NULL) return true;
  int size =
    snprintf(path, sizeof path, "%s/%s", name->directory->path, name->text);
  return size < (int)sizeof path && lstat(path, &status) == 0 &&
         S_ISREG(status.st_mode) && status.st_nlink == 1;
}

static void notice_name(struct names *names, enum notice notice,
                        struct name *name) {
  switch (notice) {
    case NOTICE_CREATED: name->written = is_being_written(name); break;
    case NOTICE_WRITTEN: name->written = true; break;
    case NOTICE_TOUCHED: break;
    default: name->written = false;
  }
  if (notice == NOTICE_DIRECTORY) name->is_directory = true;
  if (notice == NOTICE_CLOSED) name->closed = true;
  tell(names, name, notice == NOTICE_TOUCHED || notice == NOTICE_CLOSED);
}

/* What is not known yet, where all names matter; or the directory itself. */
static struct name *any_name(struct names *names, struct directory *directory,
                             const char *text) {
  struct name *name = find_name(names, directory, text);
  if (name != NULL) return name;
  bool is_crowded = *text != '\0' && names->count >= NAMES_MOST;
  name = is_crowded ? find_name(names, directory, "") : NULL;
  if (name == NULL) name = add_name(names, directory, is_crowded ? "" : text);
  if (name != NULL && is_crowded) name->is_crowded = true;
  if (name == NULL) names->lost = true;
  return name;
}

static void on_notice(struct notify_subscriber *subscriber,
                      struct notify_watch *watch, enum notice notice,
                      const char *text) {
  struct names *names = (struct names *)subscriber;
  struct directory *directory = (struct directory *)watch;
  if (notice == NOTICE_OVERFLOW) {
    names->lost = true;
    return;
  }
  bool all = directory->path == NULL;
  struct name *name =
    all ? any_name(names, directory, text) : find_name(names, directory, text);
  if (name != NULL) notice_name(names, notice, name);
  if (notice == NOTICE_GONE && name != NULL) name->is_gone = true;
  if (!all && (notice == NOTICE_GONE || notice == NOTICE_MOVED))
    tell_all_in(names, directory);
}

bool names_has_news(const struct names *names) {
  return names->told != NULL || names->lost;
}

struct name *names_take(struct names *names) {
  struct name *name = names->told;
  if (name == NULL) return NULL;
  names->told = name->next_told;
  if (names->told == NULL) names->last_told = &names->told;
  name->told = false;
  return name;
}

void names_let_go(struct names *names, struct name *name) {
  if (name->id != 0) return;
  struct directory *directory = name->directory;
  if (name->is_gone && !directory->dropped) drop_directory(directory);
  struct name **link = bucket_of(names, directory, name->text);
  while (*link != name) link = &(*link)->next;
  free_name(names, link);
}

/* ---- what is no longer wanted -------------------------------------------- */

static bool is_wanted(const struct name *name) {
  return name->wanted || name->id == 0;
}

static void forget_told(struct names *names) {
  struct name **link = &names->told;
  while (*link != NULL) {
    if (is_wanted(*link))
      link = &(*link)->next_told;
    else
      *link = (*link)->next_told;
  }
  names->last_told = link;
}

static void sweep_bucket(struct names *names, struct name **link) {
  while (*link != NULL) {
    struct name *name = *link;
    if (!is_wanted(name)) {
      free_name(names, link);
      continue;
    }
    name->wanted = false;
    link = &name->next;
  }
}

void names_sweep(struct names *names) {
  forget_told(names);
  for (unsigned i = 0; i < names->bucket_count; i++)
    sweep_bucket(names, &names->buckets[i]);
  for (struct directory *directory = names->directories, *next;
       directory != NULL; directory = next) {
    next = directory->next;
    if (!directory->wanted && directory->path != NULL)
      drop_directory(directory);
    else
      directory->wanted = false;
  }
}

void names_init(struct names *names) {
  memset(names, 0, sizeof *names);
  names->last_told = &names->told;
  names->subscriber.notice = on_notice;
}

void names_free(struct names *names) {
  while (names->directories != NULL) drop_directory(names->directories);
  for (unsigned i = 0; i < names->bucket_count; i++)
    while (names->buckets[i] != NULL) free_name(names, &names->buckets[i]);
  notify_leave(&names->subscriber);
  free(names->buckets);
  names->buckets = NULL;
  names->bucket_count = 0;
  names->told = NULL;
  names->last_told = &names->told;
}
