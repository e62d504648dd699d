/* names.c - two sets, of directories and of names in them. A name that is told
 * of is in the list `told` once, whatever happens to it, until it is taken. */
#include "modules/hot/names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/fingerprint.h"

void names_init(struct names *names) {
  memset(names, 0, sizeof *names);
  names->last_told = &names->told;
}

/* ---- the sets ------------------------------------------------------------ */

static struct directory *find_directory(const struct names *names, int number) {
  struct directory *directory = names->directories;
  while (directory != NULL && (directory->number != number || directory->gone))
    directory = directory->next;
  return directory;
}

static struct directory *add_directory(struct names *names, int number,
                                       const char *path) {
  struct directory *directory = calloc(1, sizeof *directory);
  if (directory == NULL) return NULL;
  directory->path = strdup(path);
  if (directory->path == NULL) {
    free(directory);
    return NULL;
  }
  directory->number = number;
  directory->next = names->directories;
  names->directories = directory;
  return directory;
}

/* It may have been moved, and be where another one was. */
static bool set_path(struct directory *directory, const char *path) {
  if (strcmp(directory->path, path) == 0) return true;
  char *copy = strdup(path);
  if (copy == NULL) return false;
  free(directory->path);
  directory->path = copy;
  return true;
}

struct directory *names_directory(struct names *names, int number,
                                  const char *path, bool whole, bool *is_new) {
  struct directory *directory = find_directory(names, number);
  *is_new = directory == NULL;
  if (directory == NULL) directory = add_directory(names, number, path);
  if (directory == NULL || !set_path(directory, path)) return NULL;
  directory->whole = directory->whole || whole;
  directory->wanted = true;
  return directory;
}

static struct name **bucket_of(struct names *names, int number,
                               const char *text) {
  struct fingerprint hash = fingerprint_bytes(text, strlen(text));
  fingerprint_add(&hash, &number, sizeof number);
  return &names->buckets[(hash.hash ^ hash.hash >> 32) % NAME_BUCKETS];
}

static struct name *find_name(struct names *names, int number,
                              const char *text) {
  struct name *name = *bucket_of(names, number, text);
  while (name != NULL &&
         (name->directory->number != number || strcmp(name->text, text) != 0))
    name = name->next;
  return name;
}

struct name *names_name(struct names *names, struct directory *directory,
                        const char *text) {
  struct name *name = find_name(names, directory->number, text);
  if (name == NULL) {
    size_t size = strlen(text) + 1;
    name = calloc(1, sizeof *name + size);
    if (name == NULL) return NULL;
    memcpy(name->text, text, size);
    struct name **bucket = bucket_of(names, directory->number, text);
    name->directory = directory;
    name->id = ++names->last_id;
    name->next = *bucket;
    *bucket = name;
  }
  name->wanted = true;
  return name;
}

/* ---- what happens -------------------------------------------------------- */

static void tell(struct names *names, struct name *name) {
  if (name->told) return;
  name->told = true;
  name->next_told = NULL;
  *names->last_told = name;
  names->last_told = &name->next_told;
}

static void tell_all_in(struct names *names, const struct directory *in) {
  for (int i = 0; i < NAME_BUCKETS; i++)
    for (struct name *name = names->buckets[i]; name; name = name->next)
      if (name->directory == in) tell(names, name);
}

/* Whoever opens a new file to write will close it, and we are told of that; not
 * so of a link, nor of a second name for a file. */
static bool is_being_written(const struct name *name) {
  char path[PATH_MAX];
  struct stat status;
  if (!name->directory->whole) return false;
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
  tell(names, name);
}

void names_notice(void *data, enum notice notice, int number,
                  const char *text) {
  struct names *names = data;
  if (notice == NOTICE_OVERFLOW) names->lost = true;
  struct directory *directory = find_directory(names, number);
  if (directory == NULL) return; /* no longer watched */
  if (notice == NOTICE_GONE) directory->gone = true;
  if (notice == NOTICE_GONE || notice == NOTICE_MOVED) {
    tell_all_in(names, directory);
  } else {
    struct name *name = find_name(names, number, text);
    if (name != NULL) notice_name(names, notice, name);
  }
}

bool names_has_news(const struct names *names) {
  return names->told != NULL || names->lost;
}

const struct name *names_take(struct names *names) {
  struct name *name = names->told;
  if (name == NULL) return NULL;
  names->told = name->next_told;
  if (names->told == NULL) names->last_told = &names->told;
  name->told = false;
  return name;
}

/* ---- what is no longer wanted -------------------------------------------- */

static void forget_told(struct names *names) {
  struct name **link = &names->told;
  while (*link != NULL) {
    if ((*link)->wanted)
      link = &(*link)->next_told;
    else
      *link = (*link)->next_told;
  }
  names->last_told = link;
}

static void sweep_bucket(struct name **link) {
  while (*link != NULL) {
    struct name *name = *link;
    if (name->wanted) {
      name->wanted = false;
      link = &name->next;
    } else {
      *link = name->next;
      free(name);
    }
  }
}

static void free_directory(struct directory *directory) {
  free(directory->path);
  free(directory);
}

void names_sweep(struct names *names, int fd) {
  forget_told(names);
  for (int i = 0; i < NAME_BUCKETS; i++) sweep_bucket(&names->buckets[i]);
  struct directory **link = &names->directories;
  while (*link != NULL) {
    struct directory *directory = *link;
    if (directory->wanted) {
      directory->wanted = false;
      link = &directory->next;
      continue;
    }
    *link = directory->next;
    if (!directory->gone) notify_remove(fd, directory->number);
    free_directory(directory);
  }
}

void names_free(struct names *names) {
  while (names->directories != NULL) {
    struct directory *directory = names->directories;
    names->directories = directory->next;
    free_directory(directory);
  }
  for (int i = 0; i < NAME_BUCKETS; i++) {
    while (names->buckets[i] != NULL) {
      struct name *name = names->buckets[i];
      names->buckets[i] = name->next;
      free(name);
    }
  }
}
