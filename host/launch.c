/* launch.c - see launch.h. A name without a slash is looked for in the PATH
 * that the program will have, as execvp does; and what has no format that the
 * system knows is given to the shell. */
#include "host/launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "host/output.h"

enum { NAME_SIZE = 4096 };

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define HAS_CLOSEFROM
#endif
#endif

/* ---- its files ----------------------------------------------------------- */

#ifndef HAS_CLOSEFROM
/* Where it cannot be told to close them, they are marked here. */
static void mark_descriptors(void) {
  DIR *directory = opendir("/dev/fd");
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    int fd = atoi(entry->d_name);
    if (fd > STDERR_FILENO) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  closedir(directory);
}
#endif

/* Ours, as one that the standard files of the child cannot overwrite. */
static int move_up(int fd, int *copy) {
  *copy = -1;
  if (fd > STDERR_FILENO) return fd;
  *copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  return *copy;
}

/* `copies` are to be closed when it has been launched. */
static int set_files(posix_spawn_file_actions_t *actions,
                     const struct launch *launch, int copies[3]) {
  int error = 0;
  for (int i = 0; i < 3; i++) copies[i] = -1;
  for (int i = 0; i < 3 && error == 0; i++) {
    int fd = launch->files[i];
    if (fd == LAUNCH_NULL) {
      error =
        posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0);
      continue;
    }
    if (fd != i) fd = move_up(fd, &copies[i]);
    if (fd < 0) return errno;
    error = posix_spawn_file_actions_adddup2(actions, fd, i);
  }
#ifdef HAS_CLOSEFROM
  if (error == 0)
    error =
      posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#else
  mark_descriptors();
#endif
  if (error == 0 && launch->cwd != NULL)
    error = posix_spawn_file_actions_addchdir_np(actions, launch->cwd);
  return error;
}

/* ---- its signals and its session ----------------------------------------- */

static void set_attributes(posix_spawnattr_t *attributes, bool shares) {
  sigset_t none, all;
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setsigdefault(attributes, &all);
#ifdef POSIX_SPAWN_SETSID
  if (!shares) flags = (short)(flags | POSIX_SPAWN_SETSID);
#else
  posix_spawnattr_setpgroup(attributes, 0);
  if (!shares) flags = (short)(flags | POSIX_SPAWN_SETPGROUP);
#endif
  posix_spawnattr_setflags(attributes, flags);
}

/* ---- the program --------------------------------------------------------- */

struct attempt {
  const struct launch *launch;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  pid_t pid;
};

static int run_by_shell(struct attempt *attempt, const char *file) {
  char **argv = attempt->launch->argv;
  size_t count = 0;
  while (argv[count] != NULL) count++;
  char **list = calloc(count + 2, sizeof *list);
  if (list == NULL) return ENOMEM;
  list[0] = "sh";
  list[1] = (char *)file;
  for (size_t i = 1; i < count; i++) list[i + 1] = argv[i];
  int error = posix_spawn(&attempt->pid, "/bin/sh", &attempt->actions,
                          &attempt->attributes, list, attempt->launch->env);
  free(list);
  return error;
}

static int run_file(struct attempt *attempt, const char *file) {
  const struct launch *l = attempt->launch;
  int error = posix_spawn(&attempt->pid, file, &attempt->actions,
                          &attempt->attributes, l->argv, l->env);
  return error == ENOEXEC ? run_by_shell(attempt, file) : error;
}

static const char *path_of(char **env) {
  for (; *env != NULL; env++)
    if (strncmp(*env, "PATH=", 5) == 0) return *env + 5;
  return "/usr/local/bin:/usr/bin:/bin";
}

/* It could be run, as far as one can see from here: a look costs less than an
 * attempt. What is relative counts from the directory of the child. */
static bool is_candidate(const char *file, const char *cwd) {
  char full[2 * NAME_SIZE];
  if (file[0] == '/' || cwd == NULL) return access(file, X_OK) == 0;
  snprintf(full, sizeof full, "%s/%s", cwd, file);
  return access(full, X_OK) == 0;
}

/* ENOENT, unless something has been found that cannot be run. */
static int run_in_path(struct attempt *attempt) {
  const struct launch *l = attempt->launch;
  char file[NAME_SIZE];
  int result = ENOENT;
  for (const char *at = path_of(l->env), *end; at != NULL;
       at = *end == ':' ? end + 1 : NULL) {
    end = strchr(at, ':');
    if (end == NULL) end = at + strlen(at);
    int size = snprintf(file, sizeof file, "%.*s%s%s", (int)(end - at), at,
                        end > at ? "/" : "./", l->argv[0]);
    if (size >= (int)sizeof file) continue;
    if (!is_candidate(file, l->cwd)) {
      if (errno == EACCES) result = EACCES;
      continue;
    }
    int error = run_file(attempt, file);
    if (error == EACCES) result = EACCES;
    if (error != EACCES && error != ENOENT && error != ENOTDIR) return error;
  }
  return result;
}

static int run_program(struct attempt *attempt) {
  const char *name = attempt->launch->argv[0];
  if (name[0] == '\0') return ENOENT;
  if (strchr(name, '/') != NULL) return run_file(attempt, name);
  return run_in_path(attempt);
}

/* What we have printed comes before what it prints. */
static void settle(const struct launch *l) {
  for (int i = 0; i < 3; i++) {
    if (l->files[i] != STDOUT_FILENO && l->files[i] != STDERR_FILENO) continue;
    output_flush_buffers();
    output_settle();
    return;
  }
}

int launch(const struct launch *l) {
  struct attempt attempt = {.launch = l};
  int copies[3];
  settle(l);
  int error = posix_spawn_file_actions_init(&attempt.actions);
  if (error != 0) return uv_translate_sys_error(error);
  error = posix_spawnattr_init(&attempt.attributes);
  if (error == 0) {
    set_attributes(&attempt.attributes, l->shares);
    error = set_files(&attempt.actions, l, copies);
    if (error == 0) error = run_program(&attempt);
    for (int i = 0; i < 3; i++)
      if (copies[i] >= 0) close(copies[i]);
    posix_spawnattr_destroy(&attempt.attributes);
  }
  posix_spawn_file_actions_destroy(&attempt.actions);
  return error == 0 ? attempt.pid : uv_translate_sys_error(error);
}

int launch_check_cwd(const char *cwd) {
  struct stat info;
  if (stat(cwd, &info) != 0) return uv_translate_sys_error(errno);
  if (!S_ISDIR(info.st_mode)) return UV_ENOTDIR;
  return access(cwd, X_OK) == 0 ? 0 : uv_translate_sys_error(errno);
}
