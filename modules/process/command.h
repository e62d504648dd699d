/* command.h - what a script says about a program to be started: checked, and
 * made ready, before anything is started. */
#ifndef MODULES_PROCESS_COMMAND_H
#define MODULES_PROCESS_COMMAND_H

#include <lua.h>
#include <stdbool.h>

#include "host/launch.h"

enum {
  FILE_PIPE = -2,     /* among launch.files: a pipe, to be made */
  FILE_AS_OUTPUT = -3 /* the same as its standard output */
};

/* The list at index 1 and the options at index 2, which were checked to be a
 * table or nil. Pushes values that must stay while the launch is used. */
void command_check(lua_State *L, struct launch *launch);
/* launch->files[file], by the option of that name. */
void command_check_file(lua_State *L, struct launch *launch, int file,
                        const char *name, int otherwise);
/* A pipe: `theirs` goes to launch->files[file], ours is returned; or one of
 * libuv's errors. */
int command_pipe(struct launch *launch, int file, int *theirs);
/* nil, "run ls: no such file or directory", "ENOENT". The list lies at 1 and
 * the options at 2. */
int command_error(lua_State *L, int status, const char *what, bool cwd_failed);

#endif
