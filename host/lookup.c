/* lookup.c - walks a path as the system does, one name at a time. What is
 * found depends on just these names: a file is another one, or another text,
 * only after something has happened to one of them. */
#include "host/lookup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/questions.h"

#ifdef __APPLE__
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

enum { LINKS_MOST = 40 }; /* as Linux has it */

/* ---- lookups(paths) ------------------------------------------------------ */

struct walk {
  char directory[PATH_MAX]; /* where it is, without links: "/", ".", "a/b" */
  char rest[PATH_MAX];      /* what is still to be looked up */
  char next[PATH_MAX];      /* room for the path of a name */
  int links;
  /* Where it was before the last name: of many files in one directory the way
   * there is walked once. */
  struct {
    char path[PATH_MAX]; /* as it was given; "": none */
    char directory[PATH_MAX];
    int links;
    size_t start, size; /* of its steps, in the answers */
  } parent;
};

/* Takes the next name off the rest; "" at the end. */
static bool take_name(struct walk *walk, char name[NAME_MAX + 1]) {
  const char *start = walk->rest + strspn(walk->rest, "/");
  size_t size = strcspn(start, "/");
  if (size > NAME_MAX) return false;
  memcpy(name, start, size);
  name[size] = '\0';
  memmove(walk->rest, start + size, strlen(start + size) + 1);
  return true;
}

/* Into walk->next; false: it is too long. */
static bool join(struct walk *walk, const char *name) {
  const char *directory = walk->directory;
  bool is_here = strcmp(directory, ".") == 0;
  bool is_root = strcmp(directory, "/") == 0;
  int size = snprintf(walk->next, PATH_MAX, "%s%s%s", is_here ? "" : directory,
                      is_here || is_root ? "" : "/", name);
  return size < PATH_MAX;
}

static bool enter(struct walk *walk) {
  memcpy(walk->directory, walk->next, strlen(walk->next) + 1);
  return true;
}

/* No link is in the directory's path, so the last name may be taken off. */
static bool go_up(struct walk *walk) {
  char *slash = strrchr(walk->directory, '/');
  const char *last = slash == NULL ? walk->directory : slash + 1;
  if (strcmp(walk->directory, "/") == 0) return true;
  if (strcmp(walk->directory, ".") == 0 || strcmp(last, "..") == 0)
    return join(walk, "..") && enter(walk);
  if (slash == NULL)
    strcpy(walk->directory, ".");
  else if (slash == walk->directory)
    slash[1] = '\0';
  else
    *slash = '\0';
  return true;
}

/* Goes on with what the link says, from the directory it lies in. */
static bool follow(struct walk *walk) {
  char target[PATH_MAX];
  ssize_t size = readlink(walk->next, target, PATH_MAX - 1);
  if (size <= 0 || ++walk->links > LINKS_MOST) return false;
  target[size] = '\0';
  int length = snprintf(walk->next, PATH_MAX, "%s/%s", target, walk->rest);
  if (length >= PATH_MAX) return false;
  memcpy(walk->rest, walk->next, (size_t)length + 1);
  if (*target == '/') strcpy(walk->directory, "/");
  return true;
}

static void add_text(struct answers *answers, const char *text) {
  answers_add(answers, text, strlen(text) + 1);
}

/* True: the walk goes on from there. */
static bool look_up(struct walk *walk, const char *name,
                    struct answers *answers) {
  struct stat status;
  if (strcmp(name, ".") == 0) return true;
  if (strcmp(name, "..") == 0) return go_up(walk);
  if (!join(walk, name)) return false;
  bool is_there = lstat(walk->next, &status) == 0;
  bool is_directory = is_there && S_ISDIR(status.st_mode);
  add_text(answers, walk->directory);
  add_text(answers, name);
  add_text(answers, is_directory ? "directory" : "");
  if (is_directory) return enter(walk);
  return is_there && S_ISLNK(status.st_mode) && follow(walk);
}

/* False: there is no way on. */
static bool walk_rest(struct walk *walk, struct answers *answers) {
  char name[NAME_MAX + 1];
  while (take_name(walk, name)) {
    if (*name == '\0') return true;
    if (!look_up(walk, name, answers)) return false;
  }
  return false;
}

/* `size`: with its slash. */
static bool walk_parent(struct walk *walk, const char *path, size_t size,
                        struct answers *answers) {
  bool is_known = size > 0 && strncmp(walk->parent.path, path, size) == 0 &&
                  walk->parent.path[size] == '\0';
  if (is_known) {
    strcpy(walk->directory, walk->parent.directory);
    walk->links = walk->parent.links;
    answers_repeat(answers, walk->parent.start, walk->parent.size);
    return true;
  }
  strcpy(walk->directory, *path == '/' ? "/" : ".");
  walk->links = 0;
  memcpy(walk->rest, path, size);
  walk->rest[size] = '\0';
  walk->parent.path[0] = '\0';
  walk->parent.start = answers->size;
  if (!walk_rest(walk, answers)) return false;
  memcpy(walk->parent.path, path, size);
  walk->parent.path[size] = '\0';
  strcpy(walk->parent.directory, walk->directory);
  walk->parent.links = walk->links;
  walk->parent.size = answers->size - walk->parent.start;
  return true;
}

static void steps_work(const char *path, void *memo, struct answers *answers) {
  struct walk *walk = memo;
  const char *slash = strrchr(path, '/');
  size_t size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  if (strlen(path) >= PATH_MAX) return;
  if (!walk_parent(walk, path, size, answers)) return;
  strcpy(walk->rest, path + size);
  walk_rest(walk, answers);
}

static void steps_push(lua_State *L, const char *answer, size_t size) {
  const char *end = answer + size;
  lua_newtable(L);
  for (lua_Integer i = 1; answer < end; i++) {
    size_t length = strlen(answer);
    lua_pushlstring(L, answer, length);
    lua_rawseti(L, -2, i);
    answer += length + 1;
  }
}

static const struct question steps_question = {
  {.wait = {"lookups", question_finish, job_interrupt},
   .work = question_work,
   .free = question_free},
  steps_work,
  steps_push,
  sizeof(struct walk)};

int lookup_steps(lua_State *L) {
  return questions_ask(L, &steps_question);
}

/* ---- stats(paths) -------------------------------------------------------- */

/* A file that has just changed may change again within the same tick of the
 * file system's clock, and would look the same: seconds where it seems to have
 * no fractions. */
bool lookup_is_recent(const struct timespec *time) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  double age = difftime(now.tv_sec, time->tv_sec) +
               (double)(now.tv_nsec - time->tv_nsec) / 1e9;
  return age < (time->tv_nsec == 0 ? 2.0 : 0.02);
}

/* (The time of the last change to the inode cannot be set back, as the other
 * one can, by those who copy files with their times.) */
static void stats_work(const char *path, void *memo, struct answers *answers) {
  struct stat status;
  char text[160];
  (void)memo;
  if (stat(path, &status) < 0) return;
  int size =
    snprintf(text, sizeof text, "%lld.%09ld %lld.%09ld %lld %llu%s",
             (long long)status.st_mtim.tv_sec, (long)status.st_mtim.tv_nsec,
             (long long)status.st_ctim.tv_sec, (long)status.st_ctim.tv_nsec,
             (long long)status.st_size, (unsigned long long)status.st_ino,
             lookup_is_recent(&status.st_ctim) ? "?" : "");
  answers_add(answers, text, (size_t)size);
}

static void stats_push(lua_State *L, const char *answer, size_t size) {
  lua_pushlstring(L, answer, size);
}

static const struct question stats_question = {
  {.wait = {"stats", question_finish, job_interrupt},
   .work = question_work,
   .free = question_free},
  stats_work,
  stats_push,
  0};

int lookup_stats(lua_State *L) {
  return questions_ask(L, &stats_question);
}
