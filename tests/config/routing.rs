//! What leads where and who answers: steps, overflow, lines, languages, callbacks.

use super::*;
use rexian::config::settings::{
    CallOut, CallbackOffer, CallbackSettings, Closed, DialForm, Hop, Host, LanguageChoice, LanguageSettings,
    LineSettings, MissedCalls, NumberRules, Overflow, Probe, Rona, Strategy, Transport,
};

/// The lines of a queue after its skill, which stands in line 10.
#[track_caller]
fn queue(settings: &str, wanted: &[&str]) {
    broken(&[("skill = \"mandarin\"", &format!("skill = \"mandarin\"\n{settings}"))], wanted);
}

/// More entries after the good ones, from line 18 on.
#[track_caller]
fn more(entries: &str, wanted: &[&str]) {
    broken(&[("", entries)], wanted);
}

/// Agents who also speak English and French, so that steps have somebody to reach.
#[track_caller]
fn relaxed(steps: &str, wanted: &[&str]) {
    let skills = "{ mandarin = 10, english = 9, french = 9 }";
    broken(
        &[("{ mandarin = 10 }", skills), ("skill = \"mandarin\"", &format!("skill = \"mandarin\"\n{steps}"))],
        wanted,
    );
}

#[test]
fn relaxation_goes_forward() {
    relaxed(
        "min_level = 5\nrelax = [{ after = \"20s\", skills = { mandarin = 3 } }, { after = \"60s\", skills = { english = 1 } }]",
        &[],
    );
    relaxed(
        "min_level = 5\nrelax = [\n{ after = \"60s\", skills = { mandarin = 3 } },\n{ after = \"60s\", skills = { english = 1 } },\n\
         { after = \"20s\", skills = { french = 1 } }]",
        &[
            "14: queue mandarin relaxes after 60s, but has done so after 60s before | put the steps in the order of after, each later than the last",
            "15: queue mandarin relaxes after 20s, but has done so after 60s before | put the steps in the order of after, each later than the last",
        ],
    );
    relaxed(
        "min_level = 8\nrelax = [\n{ after = \"20s\", skills = { mandarin = 5 } },\n{ after = \"60s\", skills = { mandarin = 8 } }]",
        &["14: queue mandarin relaxes in a loop: after 60s it asks for mandarin 8 as it did at once | \
           ask for less at each step; remove the one that goes back"],
    );
    relaxed(
        "min_level = 5\nrelax = [\n{ after = \"20s\", skills = { english = 3 } },\n{ after = \"60s\", skills = { english = 4, french = 1 } }]",
        &["14: the step after 60s of queue mandarin accepts nobody new: english 3 will do after 20s | \
           a step widens the choice: lower a level, name another skill, or remove it"],
    );
    relaxed(
        "max_wait = \"30s\"\nrelax = [{ after = \"30s\", skills = { english = 3 } }]",
        &["12: queue mandarin relaxes after 30s, when nobody waits: max_wait is 30s | relax sooner, or raise max_wait"],
    );
}

/// The same skills again, but now the reserve may be used: that is somebody new.
#[test]
fn a_step_into_the_reserve_widens() {
    relaxed("relax = [{ after = \"20s\", skills = { mandarin = 1 }, use_reserve = true }]", &[]);
    let narrower = "relax = [{ after = \"20s\", skills = { mandarin = 1, english = 1 } }]";
    let useless = ["11: the step after 20s of queue mandarin accepts nobody new: mandarin 1 will do at once | \
         a step widens the choice: lower a level, name another skill, or remove it"];
    relaxed(narrower, &useless);
    // Naming a reserved skill opens the reserve.
    relaxed(&format!("{narrower}\n[distributor]\nreserve = {{ english = 1 }}"), &[]);
}

#[test]
fn steps_as_they_are_written() {
    queue(
        "[[queues.relax]]\nafter = \"0s\"\nskill = \"mandarin\"\n[[queues.relax]]\nskills = { mandarin = 0 }",
        &[
            "11: [[queues.relax]] has no skills | add skills = { mandarin = 1 }",
            "12: after = \"0s\" in [[queues.relax]] is not a duration above zero | write it as \"500ms\", \"15s\", \"2m\" or \"1h\"",
            "13: unknown key skill in [[queues.relax]] | did you mean skills?",
            "14: [[queues.relax]] has no after | add after = \"20s\"",
            "15: skill mandarin = 0 is not a level | use a whole number from 1 (least) to 10 (best)",
        ],
    );
}

#[test]
fn skills_nobody_has() {
    queue(
        "also = { law = 3 }",
        &[
            "7: nobody can answer queue mandarin: no agent has law at level 3 and mandarin at level 1 | give an agent these skills, or ask for less",
        ],
    );
    queue(
        "also = { mandarin = 3 }",
        &[
            "11: also names mandarin, the queue's own skill | set its level with min_level, and name further skills in also",
        ],
    );
    relaxed(
        "relax = [{ after = \"20s\", skills = { englich = 3 } },\n{ after = \"60s\", skills = { thai = 1 } }]",
        &[
            "11: no agent has skill englich, for which queue mandarin asks | did you mean \"english\"?",
            "12: no agent has skill thai, for which queue mandarin asks | give it to an agent, or do not ask for it",
            "15: skill english is asked for by no queue | did you mean englich?",
        ],
    );
    more(
        "[distributor]\nageing = \"0s\"\nreserve = { mandarin = 2, thai = 1, english = -1, welsh = 0 }\n",
        &[
            "19: ageing = \"0s\" in [distributor] is not a duration above zero | write it as \"500ms\", \"15s\", \"2m\" or \"1h\"",
            "20: no agent has skill thai, of which 1 are to be kept in reserve | give it to an agent, or reserve none",
            "20: no agent has skill welsh, named in reserve | give it to an agent, or reserve none",
            "20: reserve english = -1 is not a number of agents | write how many ready agents are kept; 0: last in choice, none kept",
            "20: reserve mandarin = 2 is more than the 1 who have it | keep fewer, or give the skill to more agents",
        ],
    );
    // Nobody has the level at once, but somebody later: the queue works.
    broken(
        &[
            (
                "skill = \"mandarin\"",
                "skill = \"mandarin\"\nmin_level = 9\nrelax = [{ after = \"5s\", skills = { mandarin = 5 } }]",
            ),
            ("= 10", "= 8"),
        ],
        &[],
    );
}

/// While all who answer a queue are kept back, something must let its callers out.
#[test]
fn a_reserve_that_starves_a_queue() {
    let linguist = ("{ mandarin = 10 }", "{ mandarin = 10, english = 9 }");
    let starved = "7: queue mandarin can wait for ever: a reserve may keep back everybody who answers it | \
         add a step with use_reserve = true to its relax, or an overflow with after, or keep no reserve";
    let rules = "[distributor]\nreserve = { english = 1 }\n";
    broken(&[linguist, ("", rules)], &[starved]);
    let others = format!("{rules}[[agents]]\nnumber = \"6602\"\nskills = {{ mandarin = 1 }}\n");
    broken(&[linguist, ("", &others)], &[]);
    let waits = "skill = \"mandarin\"\nrelax = [{ after = \"30s\", skills = { mandarin = 1 }, use_reserve = true }]";
    broken(&[linguist, ("skill = \"mandarin\"", waits), ("", rules)], &[]);
    let second = format!("[[queues]]\nname = \"b\"\nskill = \"english\"\n{rules}");
    let over = |overflow: &str| format!("skill = \"mandarin\"\noverflow = {overflow}");
    broken(&[linguist, ("skill = \"mandarin\"", &over("{ queue = \"b\", after = \"60s\" }")), ("", &second)], &[]);
    // Only a full line overflows: whoever is in it stays.
    broken(&[linguist, ("skill = \"mandarin\"", &over("{ queue = \"b\" }")), ("", &second)], &[starved]);
}

const SECOND: &str = "[[queues]]\nname = \"b\"\nskill = \"mandarin\"\n";

#[test]
fn overflow_ends_somewhere() {
    queue(
        "overflow = { queue = \"mandarin\" }",
        &["11: queue mandarin overflows to itself | let the last of a chain have no overflow"],
    );
    queue(
        "overflow = { queue = \"mandarine\", after = \"0s\" }",
        &[
            "11: after = \"0s\" in overflow of [[queues]] is not a duration above zero | write it as \"500ms\", \"15s\", \"2m\" or \"1h\"",
            "11: there is no queue \"mandarine\", to which queue mandarin overflows | did you mean \"mandarin\"?",
        ],
    );
    queue(
        "max_wait = \"60s\"\noverflow = { queue = \"x\", after = \"90s\" }",
        &[
            "12: queue mandarin overflows after 90s, when nobody waits: max_wait is 60s | let overflow.after be the shorter one, or leave max_wait out",
            "12: there is no queue \"x\", to which queue mandarin overflows | add it under [[queues]], or name another",
        ],
    );
    queue("overflow = { after = \"90s\" }", &["11: overflow of [[queues]] has no queue | add queue = \"mandarin\""]);
    // a -> b -> c -> b: told where the ring is, not where it is entered.
    let ring = format!(
        "{SECOND}overflow = {{ queue = \"c\" }}\n{}overflow = {{ queue = \"b\" }}\n",
        SECOND.replace("\"b\"", "\"c\"")
    );
    broken(
        &[("skill = \"mandarin\"", "skill = \"mandarin\"\noverflow = { queue = \"b\" }"), ("", &ring)],
        &["22: queues overflow in a loop: b -> c -> b | let the last of a chain have no overflow"],
    );
}

#[test]
fn every_queue_is_reached() {
    let alone = "18: no call reaches queue b | add numbers = [\"12345\"], or lead a line, a language or another queue's overflow to it";
    more(SECOND, &[alone]);
    for way in [
        "numbers = [\"66601001\"]\n",
        "[[lines]]\nname = \"l\"\nnumbers = [\"66601001\"]\nqueue = \"b\"\n",
        "[[lines]]\nname = \"l\"\nnumbers = [\"66601001\"]\nqueue = \"mandarin\"\nclosed = { queue = \"b\" }\n",
        "[[languages]]\ntag = \"en\"\nqueue = \"b\"\n",
    ] {
        more(&format!("{SECOND}{way}"), &[]);
    }
    broken(&[("skill = \"mandarin\"", "skill = \"mandarin\"\noverflow = { queue = \"b\" }"), ("", SECOND)], &[]);
    // From a queue that nothing reaches, nothing is reached.
    let island = SECOND.replace("\"b\"", "\"c\"");
    more(
        &format!("{SECOND}{island}overflow = {{ queue = \"b\" }}\n"),
        &[alone, &alone.replace("18:", "21:").replace("queue b", "queue c")],
    );
}

#[test]
fn lines_lead_somewhere() {
    more(
        "[[lines]]\nname = \"taxi\"\nnumbers = [\"053112345\"]\nqueue = \"mandrin\"\npriority = 10\nclosed = { queue = \"x\" }\n",
        &[
            "20: number \"053112345\" (12345) leads to mandarin already, line 9 | a called number leads to one queue; remove it from the other",
            "21: there is no queue \"mandrin\", to which line taxi leads | did you mean \"mandarin\"?",
            "22: priority = 10 in [[lines]] is not a whole number from 0 to 9 | choose one in that range, without quotes",
            "23: there is no queue \"x\", to which line taxi leads | add it under [[queues]], or name another",
        ],
    );
    more(
        "[[lines]]\nname = \"mandarin\"\nnumbers = [\"1\"]\nqueue = \"mandarin\"\n[[lines]]\nname = \"mandarin\"\n",
        &[
            "18: line mandarin is also a queue with numbers of its own, line 7 | rename the line, or move the queue's numbers to it",
            "22: [[lines]] has no numbers | add numbers = [\"82001234\"]",
            "22: [[lines]] has no queue | add queue = \"mandarin\"",
            "23: name = \"mandarin\" in [[lines]] is there twice, first in line 19 | give this one another or remove it",
        ],
    );
    let line = "[[lines]]\nname = \"taxi\"\nnumbers = [\"82001110\"]\nqueue = \"mandarin\"\n";
    more(
        &format!("{line}greeting = \"greting\"\nnotice = \"flood\"\nclosed = {{ prompt = \"night\" }}\n"),
        &[
            "22: there is no prompt \"greting\" | did you mean \"greeting\"?",
            "23: there is no prompt \"flood\" | add flood = \"file.wav\" to [prompts]",
            "24: there is no prompt \"night\" | add night = \"file.wav\" to [prompts]",
        ],
    );
    for (closed, problem) in [
        (
            "\"massage\"",
            "closed = \"massage\" in [[lines]] is not a known word | use one of: message or { prompt = \"...\" } or { queue = \"...\" }",
        ),
        (
            "{}",
            "closed of [[lines]] names no way out | write closed = \"message\", { prompt = \"...\" } or { queue = \"...\" }",
        ),
        (
            "{ prompt = \"greeting\", queue = \"mandarin\" }",
            "closed of [[lines]] names two ways out | write closed = \"message\", { prompt = \"...\" } or { queue = \"...\" }",
        ),
    ] {
        more(&format!("{line}closed = {closed}\n"), &[&format!("22: {problem}")]);
    }
    more(
        &format!("{line}by_country = true\nremembered = true\nby_key = true\n"),
        &[
            "22: by_country of line taxi chooses nothing: there is no language with countries | add [[languages]] with countries, or remove by_country",
            "23: remembered of line taxi chooses nothing: there is no language at all | add [[languages]], or remove remembered",
            "24: by_key of line taxi chooses nothing: there is no language with a key | add [[languages]] with a key, or remove by_key",
        ],
    );
}

#[test]
fn languages_are_told_apart() {
    more(
        "[[languages]]\ntag = \"en\"\nqueue = \"mandarin\"\ncountries = [\"44\", \"1\"]\nkey = \"2\"\n\
         [[languages]]\ntag = \"ja\"\nqueue = \"japanese\"\ncountries = [\"81\", \"1\", \"86\", \"0049\"]\nkey = \"2\"\ninvitation = \"press-3\"\n\
         [[languages]]\ntag = \"en\"\nqueue = \"mandarin\"\nkey = \"*\"\n",
        &[
            "25: there is no queue \"japanese\", to which language ja leads | add it under [[queues]], or name another",
            "26: countries = \"0049\" in [[languages]] is not a country code | write it without + or 0 in front, as \"81\"; 86 is this country",
            "26: countries = \"86\" in [[languages]] is not a country code | write it without + or 0 in front, as \"81\"; 86 is this country",
            "26: country code 1 of language ja is there already: en, line 21 | callers of one country are taken to speak one language; remove the other",
            "27: key 2 of language ja is taken by language en, line 22 | give each language a key of its own",
            "28: there is no prompt \"press-3\" | add press-3 = \"file.wav\" to [prompts]",
            "30: tag = \"en\" in [[languages]] is there twice, first in line 19 | give this one another or remove it",
            "32: key = \"*\" in [[languages]] is not a key of a telephone | write one of 0123456789, in quotes",
        ],
    );
}

/// A trunk by which calls may go out, and callbacks by it.
const OUT: [(&str, &str); 2] = [
    (
        "peers = [\"127.0.0.0/8\"]",
        "peers = [\"127.0.0.0/8\"]\nhops = [\"127.0.0.1:5080\"]\ncall_out = { from = \"12345\" }",
    ),
    ("", "[callbacks]\ntrunk = \"carrier\"\n"),
];
const OFFER: (&str, &str) =
    ("skill = \"mandarin\"", "skill = \"mandarin\"\ncallback = { after = \"60s\", key = \"2\" }");

#[test]
fn a_key_means_one_thing() {
    let keyed = "[[languages]]\ntag = \"en\"\nqueue = \"mandarin\"\nkey = \"2\"\n\
                 [[lines]]\nname = \"l\"\nnumbers = [\"66601001\"]\nqueue = \"mandarin\"\n";
    let [a, b] = OUT;
    broken(&[a, OFFER, b, ("", keyed)], &[]);
    let problem = "13: key 2 asks to be called back and chooses language en | \
                   give the callback another key: both may be pressed while waiting";
    broken(&[a, OFFER, b, ("", keyed), ("", "by_key = true\n")], &[problem]);
    // By overflow too.
    let behind = format!("{SECOND}overflow = {{ queue = \"mandarin\" }}\n{}", keyed.replace("\"mandarin\"", "\"b\""));
    broken(&[a, OFFER, b, ("", &behind), ("", "by_key = true\n")], &[problem]);
}

#[test]
fn calls_go_out_by_a_trunk_that_can() {
    let [a, b] = OUT;
    broken(&[a, OFFER, b], &[]);
    let fix = "add [callbacks] trunk = \"...\", a trunk with call_out";
    broken(&[a, OFFER], &[&format!("13: callers are offered to be called back, but by no trunk | {fix}")]);
    more(
        "[callbacks]\nmissed = { call_back = 9 }\n",
        &[&format!("19: missed calls are to be called back, but by no trunk | {fix}")],
    );
    broken(
        &[b],
        &["19: callbacks go out by trunk carrier, which calls nobody | \
           add hops = [\"10.1.0.7:5060\"] and call_out = { from = \"053112345\" } to it, or name another trunk"],
    );
    broken(
        &[a, ("", "[callbacks]\ntrunk = \"carier\"\n")],
        &["21: there is no trunk \"carier\" to call back by | did you mean \"carrier\"?"],
    );
    let fix = "what it answers would be a stranger's: add the address to this trunk's peers";
    broken(
        &[(a.0, &a.1.replace("127.0.0.1:", "10.0.0.1:"))],
        &[&format!("7: hop 10.0.0.1 of trunk carrier is none of its peers | {fix}")],
    );
    let first = "[[trunks]]\nname = \"first\"\npeers = [\"127.0.0.1\"]\n[[trunks]]\nname = \"carrier\"";
    broken(
        &[("[[trunks]]\nname = \"carrier\"", first), a],
        &[&format!("10: hop 127.0.0.1 of trunk carrier is a peer of trunk first | {fix}")],
    );
    broken(
        &[(a.0, &a.1.replace("\"12345\"", "\"sip:12345\", dial = \"locally\""))],
        &[
            "8: dial = \"locally\" in call_out of [[trunks]] is not a known word | use one of: local, national, e164",
            "8: from = \"sip:12345\" in call_out of [[trunks]] is not a telephone number | write digits, as \"053112345\"",
        ],
    );
    broken(
        &[(a.0, "peers = [\"127.0.0.0/8\"]\ncall_out = {}")],
        &["7: call_out of [[trunks]] has no from | add from = \"053112345\""],
    );
    more(
        "[callbacks]\nmissed = \"forget\"\nattempts = 0\nkeep = \"10m\"\n",
        &[
            "19: missed = \"forget\" in [callbacks] is not a known word | use one of: ignore, list or { call_back = 9 }",
            "20: attempts = 0 in [callbacks] is not a whole number from 1 to 20 | choose one in that range, without quotes",
            "21: keep = 600s in [callbacks] ends before a second attempt, retry_after = 600s | keep them longer, or set attempts = 1",
        ],
    );
}

#[test]
fn what_phones_may_dial() {
    let classes = r#""seats", "city", "national", "mobile", "toll_free", "hotlines""#;
    let fix = format!("write classes ({classes}) or numbers (\"+81\", \"12110\")");
    more(
        "[[dial_plans]]\nname = \"desk\"\nmay_call = [\"seats\", \"abroad\", \"+86\"]\n",
        &[
            &format!("20: may_call = \"+86\" in [[dial_plans]] is not something to call | {fix}"),
            &format!("20: may_call = \"abroad\" in [[dial_plans]] is not something to call | {fix}"),
        ],
    );
    more(
        "[[dial_plans]]\nname = \"desk\"\nmay_call = [\"seats\", \"city\"]\n",
        &["18: dial plan desk calls outside, but by no trunk | add [dialling] trunk = \"...\", a trunk with call_out"],
    );
    more(
        "[dialling]\ntrunk = \"carrier\"\nemergency = []\n",
        &[
            "19: seats dial by trunk carrier, which calls nobody | add call_out to it, or name another trunk",
            "20: no emergency number is left to dial | leave emergency out, or name them: [\"110\", \"119\", \"120\", \"122\"]",
        ],
    );
    more(
        "[dialling]\npassed_on_at_most = \"0s\"\npassed_on_per_seat = 101\n",
        &[
            "19: passed_on_at_most = \"0s\" in [dialling] is not a duration above zero | write it as \"500ms\", \"15s\", \"2m\" or \"1h\"",
            "20: passed_on_per_seat = 101 in [dialling] is not a whole number from 0 to 100 | choose one in that range, without quotes",
        ],
    );
    broken(
        &[
            ("number = \"8001\"", "number = \"8001\"\ndial_plan = \"dest\""),
            ("", "[[dial_plans]]\nname = \"desk\"\nmay_call = [\"seats\"]\n"),
        ],
        &["16: there is no dial plan \"dest\", by which seat 8001 calls | did you mean \"desk\"?"],
    );
}

#[test]
fn what_is_said_to_those_who_wait() {
    queue(
        "announce = { every = \"14s\", position = true }",
        &[
            "11: every = 14s in announce of [[queues]] leaves no music between announcements | announce every 15s or less often",
        ],
    );
    queue(
        "announce = { every = \"45s\" }",
        &["11: announce of [[queues]] announces nothing | add position = true or estimate = true, or remove announce"],
    );
    queue("announce = { position = true }", &["11: announce of [[queues]] has no every | add every = \"45s\""]);
    queue(
        "callback = {}",
        &[
            "11: callback of [[queues]] has no after | add after = \"60s\"",
            "11: callback of [[queues]] has no key | add key = \"1\"",
        ],
    );
    let [a, b] = OUT;
    broken(
        &[a, (OFFER.0, "skill = \"mandarin\"\nmax_wait = \"60s\"\ncallback = { after = \"60s\", key = \"12\" }"), b],
        &[
            "14: key = \"12\" in callback of [[queues]] is not a key of a telephone | write one of 0123456789*#, in quotes",
        ],
    );
    broken(
        &[a, (OFFER.0, "skill = \"mandarin\"\nmax_wait = \"60s\"\ncallback = { after = \"60s\", key = \"1\" }"), b],
        &[
            "14: queue mandarin offers to call back after 60s, when nobody waits: max_wait is 60s | offer it sooner, or raise max_wait",
        ],
    );
}

/// What every queue takes from the defaults is told once.
#[test]
fn a_default_that_is_wrong_is_told_once() {
    let defaults = "[queue_defaults]\nannounce = { every = \"45s\" }\n";
    more(
        &format!("{SECOND}numbers = [\"66601001\"]\n{defaults}"),
        &["23: announce of [[queues]] announces nothing | add position = true or estimate = true, or remove announce"],
    );
    let offer = defaults.replace("announce = { every = \"45s\" }", "callback = { after = \"60s\", key = \"1\" }");
    more(
        &format!("{SECOND}numbers = [\"66601001\"]\n{offer}"),
        &[
            "23: callers are offered to be called back, but by no trunk | add [callbacks] trunk = \"...\", a trunk with call_out",
        ],
    );
}

#[test]
fn hops_probes_pace_and_callers_of_a_trunk() {
    let peers = "peers = [\"127.0.0.0/8\"]";
    let good = "max_calls = 150\n\
        hops = [\"127.0.0.1:5080\", { to = \"tcp:sbc.carrier.cn\", priority = 1, weight = 3, fallback = [\"127.0.0.9\"] }]\n\
        probe = { every = \"20s\", misses = 2 }\nhop_patience = \"3s\"\ncalls_per_10s = \"15%\"\n\
        callers = { allow = [\"+86\", \"anonymous\"], deny = [\"+8613\", \"95\"] }";
    let folder = Folder::new();
    let listeners = "udp = [\"127.0.0.1:5060\"]";
    let text = GOOD.replace(peers, &format!("{peers}\n{good}"));
    let text = text.replace(listeners, &format!("{listeners}\ntcp = [\"127.0.0.1:5060\"]"));
    let path = folder.write("rexian.toml", text);
    let core = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems))).core;
    let trunk = &core.trunks[0];
    let named = Host::Name { name: "sbc.carrier.cn".into(), fallback: vec!["127.0.0.9".parse().unwrap()] };
    let second = Hop { priority: 1, weight: 3, ..Hop::new(Transport::Tcp, named, None) };
    assert_eq!(trunk.hops, [Hop::from("127.0.0.1:5080".parse::<std::net::SocketAddr>().unwrap()), second]);
    assert_eq!(trunk.probe, Some(Probe { every: Duration::from_secs(20), misses: 2 }));
    assert_eq!((trunk.hop_patience, trunk.calls_per_10s, trunk.max_calls), (Duration::from_secs(3), Some(23), 150));
    let texts = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let rules = NumberRules { allow: Some(texts(&["+86", "anonymous"])), deny: texts(&["+8613", "95"]) };
    assert_eq!(trunk.callers, rules);

    let lines = |more: &str, wanted: &[&str]| broken(&[(peers, &format!("{peers}\n{more}"))], wanted);
    lines("probe = \"30s\"\ncalls_per_10s = 30\nhops = [\"127.0.0.1\"]", &[]);
    lines(
        "hops = [\"tcp:127.0.0.1\",\n\"tls:sbc.carrier.cn\"]",
        &[
            "7: a hop of trunk carrier goes by tcp, by which [sip] does not listen | add tcp = [\"10.1.0.5:5060\"] to [sip]",
            "8: a hop of trunk carrier goes by tls, by which [sip] does not listen | add tls = [\"10.1.0.5:5061\"] to [sip]",
        ],
    );
    let form = "write it as \"10.1.0.7:5060\", \"[fd00::7]:5060\", \"tcp:10.1.0.7\" or \"tls:sbc.carrier.cn\"";
    lines(
        "hops = [\n\"127.0.0.300\",\n7,\n{ to = \"127.0.0.1\", wight = 2, fallback = [\"127.0.0.2\"] },\n{ weight = 0 },\n\"udp:127.0.0.1\"]",
        &[
            &format!("8: \"127.0.0.300\" in hops of [[trunks]] is not an address or a name | {form}"),
            &format!("9: hops = 7 in [[trunks]] is not an address or a name | {form}"),
            "10: hops of [[trunks]] is an address, which needs no fallback | write it as a further hop with a higher priority",
            "10: unknown key wight in hops of [[trunks]] | did you mean weight?",
            "11: hops of [[trunks]] has no to | add to = \"10.1.0.7:5060\"",
            "11: weight = 0 in hops of [[trunks]] is not a whole number from 1 to 1000 | choose one in that range, without quotes",
            "12: hops of [[trunks]] names one hop twice, first in line 10 | remove one of them; a larger share of the calls is weight = 2",
        ],
    );
    lines(
        "hops = []\nprobe = \"0s\"\ncalls_per_10s = \"15\"\ncallers = { allow = [\"0531\"], deny = [\"+86\"], only = [] }",
        &[
            "7: hops in [[trunks]] is empty | name one, or remove hops",
            "8: probe = \"0s\" in [[trunks]] is not a duration above zero | write it as \"500ms\", \"15s\", \"2m\" or \"1h\"",
            "9: calls_per_10s = \"15\" in [[trunks]] is not a number of calls or a share of max_calls | write it as 30, or as \"15%\"",
            "10: allow = \"0531\" in callers of [[trunks]] is not the beginning of a number | write it as \"+86531\", \"95588\" or \"anonymous\"",
            "10: unknown key only in callers of [[trunks]] | remove it; known here: allow, deny",
        ],
    );
    lines(
        "callers = { allow = [\"+86\"], deny = [\"+86\"] }\ncall_out = { from = \"12345\" }\nprobe = \"30s\"",
        &[
            "7: +86 is both allowed and denied in callers of [[trunks]] | remove it from one of the two",
            "8: call_out of [[trunks]] has nowhere to go | add hops = [\"10.1.0.7:5060\"], where the carrier takes calls",
            "9: probe of [[trunks]] has nowhere to go | add hops = [\"10.1.0.7:5060\"], where the carrier takes calls",
        ],
    );
    let fix = "what it answers would be a stranger's: add the address to this trunk's peers";
    lines(
        "hops = [{ to = \"sbc\", fallback = [\"10.0.0.9\"] }]",
        &[&format!("7: hop 10.0.0.9 of trunk carrier is none of its peers | {fix}")],
    );
}

#[test]
fn an_agent_whose_phone_rang_out() {
    for (rona, problem) in [
        (
            "\"ignore\"",
            "rona = \"ignore\" in [[queues]] is not a known word | use one of: not-ready, sign-out or { tolerate = 2 }",
        ),
        (
            "{ tolerate = 0 }",
            "tolerate = 0 in rona of [[queues]] is not a whole number from 1 to 100 | choose one in that range, without quotes",
        ),
        ("{}", "rona of [[queues]] has no tolerate | add tolerate = 2"),
    ] {
        queue(&format!("rona = {rona}"), &[&format!("11: {problem}")]);
    }
}

#[test]
fn a_trunk_carries_no_more_than_all_of_them() {
    let peers = "peers = [\"127.0.0.0/8\"]";
    broken(
        &[(peers, "peers = [\"127.0.0.0/8\"]\nmax_calls = 210")],
        &[
            "7: max_calls = 210 of trunk carrier is above the 200 of all trunks together | add [limits] max_calls = 210, or lower this",
        ],
    );
    broken(
        &[(peers, "peers = [\"127.0.0.0/8\"]\nmax_calls = 60"), ("", "[limits]\nmax_calls = 50\n")],
        &[
            "7: max_calls = 60 of trunk carrier is above the 50 of all trunks together | raise limits.max_calls in line 20, or lower this",
        ],
    );
    // Not given: as many as may be.
    broken(&[("", "[limits]\nmax_calls = 50\n")], &[]);
}

/// Everything at once, read to the values meant.
#[test]
fn routing_is_read_as_written() {
    let folder = Folder::new();
    let config = GOOD.replace(OUT[0].0, OUT[0].1).replace(
        "skill = \"mandarin\"",
        r#"skill = "mandarin"
min_level = 8
also = { law = 2 }
strategy = "most-skilled"
prefer_last_agent = true
overflow = { queue = "plain", after = "90s" }
rona = { tolerate = 2 }
wrap_up_extension = "45s"
[[queues.relax]]
after = "20s"
skills = { mandarin = 5 }
[[queues.relax]]
after = "60s"
skills = {}
use_reserve = true
interpreter = true
[[queues]]
name = "plain"
skill = "mandarin"
announce = false
callback = false
strategy = "least-occupied"
rona = "sign-out""#,
    ) + r#"
[queue_defaults]
announce = { every = "45s", position = true }
callback = { after = "90s", key = "1", on_hang_up = true }
[distributor]
ageing = "30s"
reserve = { law = 1 }
[[agents]]
number = "6602"
skills = { mandarin = 8, law = 3 }
[[lines]]
name = "taxi"
numbers = ["82001110"]
queue = "plain"
tenant = "province"
greeting = "greeting-en"
priority = 0
closed = { prompt = "please-wait" }
notice = "greeting"
by_key = true
test = true
[[languages]]
tag = "en"
queue = "plain"
countries = ["44", "1"]
key = "2"
invitation = "greeting-en"
[callbacks]
trunk = "carrier"
ring_timeout = "25s"
attempts = 2
retry_after = "5m"
keep = "2h"
max_pending = 9
        countries = ["86", "852"]
missed = { call_back = 7 }
[dialling]
passed_on_at_most = "45m"
passed_on_per_seat = 7
[feature_codes]
extend_wrap_up = "*19"
[service]
utc_offset = "-03:30"
"#;
    let path = folder.write("rexian.toml", config);
    let core = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems))).core;
    let queue = &core.queues[0];
    let steps: Vec<String> = queue
        .steps()
        .iter()
        .map(|s| format!("{:?} {:?} {} {}", s.after, s.skills, s.use_reserve, s.interpreter))
        .collect();
    assert_eq!(
        steps,
        ["0ns {\"law\": 2, \"mandarin\": 8} false false", "20s {\"mandarin\": 5} false false", "60s {} true true"]
    );
    let secs = Duration::from_secs;
    assert_eq!((queue.strategy, queue.prefer_last_agent, queue.rona), (Strategy::MostSkilled, true, Rona::Tolerate(2)));
    assert_eq!(queue.wrap_up_extension, secs(45));
    assert_eq!(queue.overflow, Some(Overflow { queue: "plain".into(), after: Some(secs(90)) }));
    assert_eq!(queue.announce, Announce { every: Some(secs(45)), position: true, estimate: false });
    assert_eq!(queue.callback, Some(CallbackOffer { after: secs(90), key: '1', on_hang_up: true }));
    let plain = &core.queues[1];
    assert_eq!((plain.strategy, plain.rona, plain.prefer_last_agent), (Strategy::LeastOccupied, Rona::SignOut, false));
    assert_eq!((plain.announce, &plain.callback), (Announce::default(), &None), "false undoes the default");
    assert_eq!(core.distributor.ageing, secs(30));
    assert_eq!(core.distributor.reserve, [("law".into(), 1)].into());
    let line = LineSettings {
        tenant: Some("province".into()),
        greeting: Some("greeting-en".into()),
        priority: Some(0),
        closed: Closed::Prompt("please-wait".into()),
        notice: Some("greeting".into()),
        choice: LanguageChoice { by_country: false, remembered: false, by_key: true },
        test: true,
        ..LineSettings::of_queue("taxi", "plain".into(), ["82001110".to_owned()].into())
    };
    assert_eq!(core.lines, [line]);
    let english = LanguageSettings {
        tag: "en".into(),
        queue: "plain".into(),
        countries: ["1".to_owned(), "44".to_owned()].into(),
        key: Some('2'),
        invitation: Some("greeting-en".into()),
    };
    assert_eq!(core.languages, [english]);
    assert_eq!((core.dialling.passed_on_at_most, core.dialling.passed_on_per_seat), (secs(2_700), 7));
    let callbacks = CallbackSettings {
        trunks: vec!["carrier".into()],
        hours: None,
        ring_timeout: secs(25),
        attempts: 2,
        retry_after: secs(300),
        keep: secs(7_200),
        countries: ["86".to_owned(), "852".to_owned()].into(),
        max_pending: 9,
        missed: MissedCalls::CallBack { priority: 7 },
    };
    assert_eq!(core.callbacks, callbacks);
    let out = CallOut { from: "12345".into(), dial: DialForm::Local };
    assert_eq!(core.trunks[0].call_out, Some(out));
    assert_eq!((&*core.feature_codes.extend_wrap_up, core.utc_offset), ("*19", -210));
}
