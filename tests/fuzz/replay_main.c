/*
 * A main() for a libFuzzer target that runs it once over each file given, so
 * that `make check` replays the corpus without libFuzzer. Speaks TAP; no file
 * at all is a failure, for then nothing was tested.
 */
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
read_file(const char *path, struct buf *out)
{
	char chunk[65536];
	size_t len;
	FILE *file;

	if ((file = fopen(path, "re")) == NULL)
		return -1;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(out, chunk, len);
	fclose(file);
	return 0;
}

int
main(int argc, char **argv)
{
	struct buf input;
	int i, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%d\n", argc > 1 ? argc - 1 : 1);
	for (i = 1; i < argc; i++) {
		input = (struct buf){ 0 };
		printf("# %s\n", argv[i]);
		if (read_file(argv[i], &input) == -1) {
			printf("not ok %d - %s: cannot be read\n", i, argv[i]);
			failed = 1;
			continue;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)input.data, input.len);
		buf_free(&input);
		printf("ok %d - %s\n", i, argv[i]);
	}
	return failed || argc < 2;
}
