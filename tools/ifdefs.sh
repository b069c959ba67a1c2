#!/bin/sh
# Fails, naming file and line, at every #if, #ifdef and #ifndef that is none of these:
#   an include guard (the first directive of a header, with its #define on the next line),
#   #ifdef __cplusplus (around extern "C"),
#   in a file that meets the operating system or the processor, named here:
may='base/cpu.c'
#     sh tools/ifdefs.sh [SRC]
src=${1:-src}
find "$src" -type f \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.def' \) | LC_ALL=C sort |
    awk -v src="$src" -v may="$may" '
function check_file(file,   line, number, guard, directives, name) {
    name = substr(file, length(src) + 2)
    while ((getline line < file) > 0) {
        number++
        if (guard != "" && line !~ "^#[ \t]*define[ \t]+" guard "[ \t]*$") {
            print file ":" number - 1 ": #ifndef " guard " is not followed by its #define"
            errors++
        }
        guard = ""
        if (line !~ /^[ \t]*#/)
            continue
        directives++
        if (line !~ /^[ \t]*#[ \t]*(if|ifdef|ifndef)([ \t(!]|$)/)
            continue
        if (name in allowed || line ~ /^#ifdef[ \t]+__cplusplus/)
            continue
        if (directives == 1 && file ~ /\.(h|cuh)$/ && line ~ /^#ifndef[ \t]+[A-Z][A-Z0-9_]*[ \t]*$/) {
            guard = line
            sub(/^#ifndef[ \t]+/, "", guard)
            sub(/[ \t]+$/, "", guard)
            continue
        }
        print file ":" number ": " line "  (choose by file instead; see tools/ifdefs.sh)"
        errors++
    }
    close(file)
}
BEGIN {
    n = split(may, names, " ")
    for (i = 1; i <= n; i++)
        allowed[names[i]]
}
{ files++; check_file($0) }
END {
    if (!files) {
        print src ": no source file was found to check"
        exit 1
    }
    if (errors) {
        print errors " conditions in the source"
        exit 1
    }
    print "ifdefs: " files " files, none chosen by #if"
}'
