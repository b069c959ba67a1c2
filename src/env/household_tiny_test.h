/* A house of our own for tests: two places, a box and a table, a ball to be put in the box. */
#ifndef ENV_HOUSEHOLD_TINY_TEST_H
#define ENV_HOUSEHOLD_TINY_TEST_H

#include <jansson.h>
#include <stdlib.h>

#include "base/str.h"

static const char tiny_domain[] =
    "(define (domain tiny) (:requirements :adl :typing)\n"
    "(:types agent place receptacle object)\n"
    "(:predicates (atLocation ?a - agent ?l - place) (stands ?r - receptacle ?l - place)\n"
    " (openable ?r - receptacle) (opened ?r - receptacle) (in ?o - object ?r - receptacle)\n"
    " (holds ?a - agent ?o - object) (holdsAny ?a - agent) (lit ?r - receptacle) (seen ?o))\n"
    "(:action go :parameters (?a - agent ?from - place ?to - place ?r - receptacle)\n"
    " :precondition (and (atLocation ?a ?from) (stands ?r ?to))\n"
    " :effect (and (not (atLocation ?a ?from)) (atLocation ?a ?to) (increase (total-cost) 1)))\n"
    "(:action open :parameters (?a - agent ?r - receptacle)\n"
    " :precondition (and (openable ?r) (not (opened ?r))\n"
    "  (exists (?l - place) (and (atLocation ?a ?l) (stands ?r ?l))))\n"
    " :effect (opened ?r))\n"
    "(:action take :parameters (?a - agent ?l - place ?o - object ?r - receptacle)\n"
    " :precondition (and (atLocation ?a ?l) (stands ?r ?l) (in ?o ?r) (not (holdsAny ?a))\n"
    "  (or (not (openable ?r)) (opened ?r)))\n"
    " :effect (and (not (in ?o ?r)) (holds ?a ?o) (holdsAny ?a)))\n"
    "(:action put :parameters (?a - agent ?l - place ?o - object ?r - receptacle)\n"
    " :precondition (and (atLocation ?a ?l) (stands ?r ?l) (holds ?a ?o)\n"
    "  (imply (openable ?r) (opened ?r)))\n"
    " :effect (and (in ?o ?r) (not (holds ?a ?o)) (not (holdsAny ?a))))\n"
    "(:action switch :parameters (?r - receptacle) :precondition ()\n"
    " :effect (and (when (lit ?r) (not (lit ?r))) (when (not (lit ?r)) (lit ?r))))\n"
    "(:action survey :parameters () :precondition (forall (?o - object) (not (seen ?o)))\n"
    " :effect (forall (?o - object) (seen ?o))))\n";

static const char tiny_problem[] =
    "(define (problem p) (:domain tiny) (:objects me - agent here there - place\n"
    " box_bar_1 table_bar_1 - receptacle ball_bar_1 ball_bar_2 - object)\n"
    "(:init (= (total-cost) 0) (atLocation me here) (stands box_bar_1 there) (stands table_bar_1 here)\n"
    " (openable box_bar_1) (in ball_bar_1 table_bar_1) (in ball_bar_2 table_bar_1))\n"
    "(:goal (exists (?a ?b - object) (and (in ?a box_bar_1) (in ?b box_bar_1) (not (= ?a ?b))))))\n";

static const char tiny_grammar[] =
    "grammar :: \"\"\"\n"
    "{\"intro\": [{\"rhs\": \"Hello.\\n\\nThere is [{r.indefinite + ' ' + r.name | stands(r:receptacle, l)}]."
    "\\n\\nYour task is to: tidy up.\"}],\n"
    "\"box\": [{\"condition\": \"openable(r) & opened(r)\", \"rhs\": \"Open: [{o.name | in(o:object, "
    "r)}].\"},\n"
    "{\"condition\": \"openable(r)\", \"rhs\": \"Closed.\"},\n"
    "{\"rhs\": \"On it: [{o.name | in(o:object, r)}], and missing [{o.name | not_in(o, r)}].\"}],\n"
    "\"list_empty\": [{\"rhs\": \"nothing\"}], \"list_separator\": [{\"rhs\": \", \"}],\n"
    "\"list_last_separator\": [{\"rhs\": \", and \"}]}\n"
    "\"\"\";\n"
    "action go { template :: \"go to {r}\"; feedback :: \"You are at {to.name or to.id}. #box#\"; }\n"
    "action open { template :: \"open {r.name}\"; feedback :: \"#box#\"; }\n"
    "action take { template :: \"take {o} from {r}\"; feedback :: \"Taken.\"; }\n"
    "action put { template :: \"put {o} in {r}\"; feedback :: \"Put.\"; }\n"
    "action switch { template :: \"switch {r}\"; feedback :: \"#state#\";\n"
    " grammar :: \"\"\"{\"state\": [{\"condition\": \"lit(r)\", \"rhs\": \"on\"}, {\"rhs\": "
    "\"off\"}]}\"\"\"; }\n"
    "action survey { template :: \"survey\"; feedback :: \"{o.name + ';' | seen(o)}\"; }\n";

/* A game file of three parts; caller frees with free. */
static inline char *tiny_game(const char *domain, const char *problem, const char *grammar)
{
    json_t *j = json_pack("{s:s, s:s, s:s, s:b}", "pddl_domain", domain, "pddl_problem", problem, "grammar",
                          grammar, "solvable", 1);
    char *text = json_dumps(j, 0);
    json_decref(j);
    return text;
}

/* `text` with its first `from` replaced; caller frees with free. */
static inline char *tiny_with(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    Str s = {0};
    str_add(&s, text, at ? (size_t)(at - text) : 0);
    str_adds(&s, to);
    str_adds(&s, at ? at + strlen(from) : "");
    char *copy = strdup(str_c(&s));
    str_drop(&s);
    return copy;
}

#endif
