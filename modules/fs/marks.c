/* marks.c - asks the system about many files in one job of the thread pool. */
#include "modules/fs/marks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "host/fingerprint.h"
#include "host/lookup.h"
#include "host/questions.h"

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

enum { MARK_DIRECTORY = 1, MARK_RECENT = 2, MARK_OTHER = 4 };

/* What is in a directory is no part of its mark, nor is who may read a file. */
static int64_t mark_of(const struct stat *status) {
  bool is_directory = S_ISDIR(status->st_mode);
  uint64_t all[] = {(uint64_t)status->st_dev,
                    (uint64_t)status->st_ino,
                    (uint64_t)(status->st_mode & S_IFMT),
                    0,
                    0,
                    0};
  if (!is_directory) {
    all[3] = (uint64_t)status->st_size;
    all[4] = (uint64_t)status->st_mtim.tv_sec;
    all[5] = (uint64_t)status->st_mtim.tv_nsec;
  }
  struct fingerprint print = fingerprint_bytes((const char *)all, sizeof all);
  uint64_t mark = print.hash << 3 | MARK_OTHER;
  if (is_directory) mark |= MARK_DIRECTORY;
  if (!is_directory && lookup_is_recent(&status->st_mtim)) mark |= MARK_RECENT;
  return (int64_t)mark;
}

static bool is_absent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

/* ---- marks(paths), marks_followed(paths) --------------------------------- */

static void ask_mark(const char *path, int flags, struct answers *answers) {
  struct stat status;
  int64_t mark = 0;
  if (fstatat(AT_FDCWD, path, &status, flags) == 0)
    mark = mark_of(&status);
  else if (is_absent(errno))
    return;
  answers_add(answers, &mark, sizeof mark);
}

static void ask_itself(const char *path, void *memo, struct answers *answers) {
  (void)memo;
  ask_mark(path, AT_SYMLINK_NOFOLLOW, answers);
}

static void ask_followed(const char *path, void *memo,
                         struct answers *answers) {
  (void)memo;
  ask_mark(path, 0, answers);
}

static void push_mark(lua_State *L, const char *answer, size_t size) {
  int64_t mark;
  (void)size;
  memcpy(&mark, answer, sizeof mark);
  lua_pushinteger(L, mark);
}

static const struct question itself = {
  {.wait = {"marks of files", question_finish, job_interrupt},
   .work = question_work,
   .free = question_free},
  ask_itself,
  push_mark,
  0};

static const struct question followed = {
  {.wait = {"marks of files", question_finish, job_interrupt},
   .work = question_work,
   .free = question_free},
  ask_followed,
  push_mark,
  0};

int marks_of(lua_State *L) {
  return questions_ask(L, &itself);
}

int marks_followed(lua_State *L) {
  return questions_ask(L, &followed);
}

/* ---- entries(paths) ------------------------------------------------------ */

static void add_entry(int fd, const char *name, struct answers *answers) {
  struct stat status;
  int64_t mark = 0;
  if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    mark = mark_of(&status);
  else if (is_absent(errno))
    return;
  answers_add(answers, &mark, sizeof mark);
  answers_add(answers, name, strlen(name) + 1);
}

/* A status, or 0. (A list that breaks off is no list: what is missing in it
 * would seem to be gone.) */
static int add_entries(DIR *directory, struct answers *answers) {
  const struct dirent *entry;
  while (errno = 0, (entry = readdir(directory)) != NULL) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
      add_entry(dirfd(directory), name, answers);
  }
  return errno == 0 ? 0 : uv_translate_sys_error(errno);
}

/* The status comes last: only then it is known. */
static void ask_entries(const char *path, void *memo, struct answers *answers) {
  (void)memo;
  int status = 0;
  DIR *directory = opendir(path);
  if (directory == NULL)
    status = uv_translate_sys_error(errno);
  else
    status = add_entries(directory, answers);
  if (directory != NULL) closedir(directory);
  answers_add(answers, &status, sizeof status);
}

static void push_entries(lua_State *L, const char *answer, size_t size) {
  int status;
  const char *end = answer + size - sizeof status;
  char code[32];
  lua_newtable(L);
  memcpy(&status, end, sizeof status);
  if (status < 0)
    lua_pushstring(L, uv_err_name_r(status, code, sizeof code));
  else
    lua_pushboolean(L, 0);
  lua_rawseti(L, -2, 1);
  for (lua_Integer i = 2; answer < end; i += 2) {
    size_t length = strlen(answer + sizeof(int64_t));
    lua_pushlstring(L, answer + sizeof(int64_t), length);
    lua_rawseti(L, -2, i);
    push_mark(L, answer, sizeof(int64_t));
    lua_rawseti(L, -2, i + 1);
    answer += sizeof(int64_t) + length + 1;
  }
}

static const struct question entries = {
  {.wait = {"names in directories", question_finish, job_interrupt},
   .work = question_work,
   .free = question_free},
  ask_entries,
  push_entries,
  0};

int marks_in(lua_State *L) {
  return questions_ask(L, &entries);
}
