/* text.h - strings as JSON. */
#ifndef MODULES_JSON_TEXT_H
#define MODULES_JSON_TEXT_H

#include <stdbool.h>

#include "modules/json/output.h"

/* Writes it with its quotes. With `ascii` all other characters are escaped.
 * Returns 0, or where it is not UTF-8: the number of the byte, from 1. */
size_t text_write(struct output *output, const char *text, size_t size,
                  bool ascii);

#endif
