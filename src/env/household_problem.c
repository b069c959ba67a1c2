#include "env/household_problem.h"

#include <string.h>

#include "base/check.h"

/* Paths are from the folder that make runs in. */
extern const char household_domain_text[], household_grammar_text[];
__asm__(".section .rodata\n"
        "household_domain_text:\n.incbin \"src/env/household_domain.pddl\"\n.byte 0\n"
        "household_grammar_text:\n.incbin \"src/env/household_grammar.twl2\"\n.byte 0\n"
        ".previous");

Span household_domain(void)
{
    return span(household_domain_text);
}

void household_grammar(Str *out, const char *task)
{
    static const char hole[] = "@TASK@";
    const char *at = strstr(household_grammar_text, hole);
    check(at);
    str_add(out, household_grammar_text, (size_t)(at - household_grammar_text));
    str_adds(out, task);
    str_adds(out, at + strlen(hole));
}

static void add_goal(Str *out, HouseholdAim aim)
{
    const char *object = household_aim_object(aim), *target = household_aim_target(aim);
    const HouseholdTaskKind *t = &household_tasks[aim.task];
    str_adds(out, "(:goal (and\n");
    if (aim.task == HOUSEHOLD_LIGHT)
        str_addf(out,
                 "  (exists (?ot - object ?r - receptacle ?a - agent ?l - location)\n"
                 "    (and (objectType ?ot %sType) (toggleable ?ot) (isToggled ?ot)\n"
                 "         (receptacleAtLocation ?r ?l) (atLocation ?a ?l) (inReceptacle ?ot ?r)))\n"
                 "  (exists (?o - object ?a - agent) (and (objectType ?o %sType) (holds ?a ?o)))",
                 target, object);
    else if (aim.task == HOUSEHOLD_TWO)
        str_addf(out,
                 "  (exists (?r - receptacle) (exists (?o1 - object)\n"
                 "    (and (objectType ?o1 %sType) (receptacleType ?r %sType) (inReceptacle ?o1 ?r)\n"
                 "         (exists (?o2 - object)\n"
                 "           (and (not (= ?o1 ?o2)) (objectType ?o2 %sType) (inReceptacle ?o2 ?r))))))",
                 object, target, object);
    else
        str_addf(
            out,
            "  (exists (?r - receptacle) (exists (?o - object)\n"
            "    (and (objectType ?o %sType) (receptacleType ?r %sType) %s%s%s%s%s%s(inReceptacle ?o ?r))))",
            object, target, t->can ? "(" : "", t->can ? t->can : "", t->can ? " ?o) " : "",
            t->does ? "(" : "", t->does ? t->does : "", t->does ? " ?o) " : "");
    str_adds(out, "))");
}

/* Types of what is there, and those that the domain's actions name. */
static void list_types(const House *h, Map *otypes, Map *rtypes)
{
    static const char *const named[] = {"Knife", "ButterKnife"}, *const stations[] = {"SinkBasin",
                                                                                      "Microwave", "Fridge"};
    for (int i = 0; i < 2; i++)
        map_put(otypes, named[i], strlen(named[i]));
    for (int i = 0; i < 3; i++)
        map_put(rtypes, stations[i], strlen(stations[i]));
    for (size_t i = 0; i < h->objects.n; i++)
        map_put(otypes, h->objects.at[i].type, strlen(h->objects.at[i].type));
    for (size_t i = 0; i < h->receptacles.n; i++) {
        const char *name = receptacle_kinds[h->receptacles.at[i].kind].name;
        map_put(rtypes, name, strlen(name));
    }
}

static void add_types(Str *out, const Map *types, const char *type)
{
    for (int64_t i = 0; i < map_count(types); i++)
        str_addf(out, "  %.*sType - %s\n", (int)map_key_at(types, i).n, map_key_at(types, i).at, type);
}

static void add_objects(Str *out, const House *h, const Map *otypes, const Map *rtypes)
{
    str_adds(out, "(:objects\n  agent1 - agent\n");
    add_types(out, otypes, "otype");
    add_types(out, rtypes, "rtype");
    for (size_t i = 0; i < h->objects.n; i++)
        str_addf(out, "  %s - object\n", h->objects.at[i].id);
    for (size_t i = 0; i < h->receptacles.n; i++)
        str_addf(out, "  %s - receptacle\n", h->receptacles.at[i].id);
    for (size_t i = 0; i < h->places.n; i++)
        str_addf(out, "  %s - location\n", h->places.at[i]);
    str_adds(out, ")\n");
}

static void add_properties(Str *out, const HouseObject *o)
{
    static const struct {
        unsigned is;
        const char *predicate;
    } all[] = {{OBJECT_CLEANABLE, "cleanable"}, {OBJECT_HEATABLE, "heatable"},
               {OBJECT_COOLABLE, "coolable"},   {OBJECT_SLICEABLE, "sliceable"},
               {OBJECT_LAMP, "toggleable"},     {OBJECT_HOLLOW, "isReceptacleObject"}};
    unsigned is = o->kind < 0 ? OBJECT_FIXED : object_kinds[o->kind].is;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (is & all[i].is)
            str_addf(out, "  (%s %s)\n", all[i].predicate, o->id);
    if (!(is & OBJECT_FIXED))
        str_addf(out, "  (pickupable %s)\n", o->id);
}

static void add_facts(Str *out, const House *h)
{
    str_addf(out, "(:init\n  (atLocation agent1 %s)\n", h->places.at[0]);
    for (size_t i = 0; i < h->receptacles.n; i++) {
        const HouseReceptacle *r = &h->receptacles.at[i];
        str_addf(out, "  (receptacleType %s %sType)\n", r->id, receptacle_kinds[r->kind].name);
        str_addf(out, "  (receptacleAtLocation %s %s)\n", r->id, h->places.at[r->place]);
        if (r->openable)
            str_addf(out, "  (openable %s)\n", r->id);
    }
    for (size_t i = 0; i < h->objects.n; i++) {
        const HouseObject *o = &h->objects.at[i];
        str_addf(out, "  (objectType %s %sType)\n", o->id, o->type);
        str_addf(out, "  (objectAtLocation %s %s)\n", o->id, h->places.at[o->place]);
        if (o->in >= 0)
            str_addf(out, "  (inReceptacle %s %s)\n", o->id, h->receptacles.at[o->in].id);
        add_properties(out, o);
    }
    for (int r = 0; r < RECEPTACLE_KINDS; r++)
        for (int o = 0; o < OBJECT_KINDS && house_count(h, r); o++)
            if (!(object_kinds[o].is & OBJECT_FIXED) && house_objects(h, o) &&
                receptacle_holds(&receptacle_kinds[r], &object_kinds[o]))
                str_addf(out, "  (canContain %sType %sType)\n", receptacle_kinds[r].name,
                         object_kinds[o].name);
    str_adds(out, ")\n");
}

void household_problem(Str *out, const House *h, uint64_t seed, HouseholdAim aim)
{
    Map *otypes = map_new(), *rtypes = map_new();
    list_types(h, otypes, rtypes);
    str_addf(out, "(define (problem lemur_%llu)\n(:domain alfred)\n", (unsigned long long)seed);
    add_objects(out, h, otypes, rtypes);
    add_facts(out, h);
    add_goal(out, aim);
    str_adds(out, ")\n");
    map_free(otypes);
    map_free(rtypes);
}
