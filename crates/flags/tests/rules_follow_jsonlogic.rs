//! Rules come to what the JSONLogic library of flagd's daemon makes of them: jsonlogic 3.9.1, whose answers stand here.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps nothing")]

use serinus_flags::{
    Value,
    logic::{self, Generation},
};

const DATA: &str = r#"{"name":"me",
    "team":[{"name":"a"},{"name":"a"}],"arr":[1,2,3],"nested":{"q":[10,20]},"a":1,
    "users":[{"ok":true,"home":{"town":"x"}}],"o":{"k":1},"two":{"a":1,"b":2},"s":"text","e":"","n":null,"x":7,
    "mixed":[[1],{"k":1}],"many":[{
    "team":[{"name":"b"}]}]}"#;
/// What stands for an answer where there is an error.
const ERROR: &str = "ERR";

#[track_caller]
fn every_row_holds(rows: &[(&str, &str)]) {
    let data: Value = serde_json::from_str(DATA).unwrap();
    let differences: Vec<_> = rows
        .iter()
        .filter_map(|(rule, expected)| {
            let answer = logic::apply(&serde_json::from_str(rule).unwrap(), &data, Generation::V2);
            let holds = match &answer {
                Ok(answer) => {
                    *expected != ERROR && *answer == serde_json::from_str::<Value>(expected).unwrap()
                }
                Err(_) => *expected == ERROR,
            };
            (!holds).then(|| format!("{rule}\n  theirs {expected}\n  ours   {answer:?}"))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_element_alone_is_what_the_condition_of_all_sees() {
    every_row_holds(&[
        (r#"{"all":[{"var":"team"},{"==":[{"var":"name"},"a"]}]}"#, r#"true"#),
        (r#"{"all":[{"var":"arr"},{"==":[{"var":"a"},1]}]}"#, r#"false"#),
        (r#"{"all":[{"var":"team"},{"var":"name"}]}"#, ERROR),
        (r#"{"all":[{"var":"team"},{"var":"nobody"}]}"#, r#"false"#),
        (r#"{"all":[{"var":"arr"},{"var":""}]}"#, r#"true"#),
        (r#"{"all":[{"var":"users"},{"!!":[{"var":"home"}]}]}"#, ERROR),
        (r#"{"all":[{"var":"users"},{"==":[{"var":"home.town"},"x"]}]}"#, r#"true"#),
        (r#"{"all":[[],{"var":"x"}]}"#, r#"false"#),
        (r#"{"all":[{"var":"x"},{"var":""}]}"#, ERROR),
        (r#"{"all":[{"var":"team"},{"some":[[{"name":"z"}],{"==":[{"var":"name"},"a"]}]}]}"#, r#"true"#),
        (r#"{"all":[{"var":"many"},{"all":[{"var":"team"},{"==":[{"var":"name"},"b"]}]}]}"#, r#"true"#),
    ]);
}

#[test]
fn what_is_around_comes_first_in_some_none_and_filter() {
    every_row_holds(&[
        (r#"{"some":[{"var":"team"},{"==":[{"var":"name"},"a"]}]}"#, r#"false"#),
        (r#"{"none":[{"var":"team"},{"==":[{"var":"name"},"a"]}]}"#, r#"true"#),
        (r#"{"filter":[{"var":"team"},{"==":[{"var":"name"},"a"]}]}"#, r#"[]"#),
        (r#"{"some":[{"var":"team"},{"==":[{"var":".name"},"a"]}]}"#, r#"true"#),
        (r#"{"some":[{"var":"users"},{"==":[{"var":["nobody","d"]},"d"]}]}"#, r#"true"#),
        (r#"{"some":[{"var":"users"},{"var":"ok"}]}"#, ERROR),
        (r#"{"none":[{"var":"users"},{"var":"ok"}]}"#, r#"false"#),
        (r#"{"filter":[{"var":"users"},{"var":"ok"}]}"#, r#"[{"home":{"town":"x"},"ok":true}]"#),
        (r#"{"some":[{"var":"team"},{"var":"s"}]}"#, ERROR),
        (r#"{"none":[{"var":"team"},{"==":[{"var":"o"},1]}]}"#, ERROR),
        (r#"{"none":[{"var":"team"},{"==":[{"var":"two"},1]}]}"#, r#"true"#),
        (r#"{"some":[{"var":"many"},{"some":[{"var":"team"},{"==":[{"var":"name"},"me"]}]}]}"#, r#"true"#),
        (r#"{"some":[{"var":"users"},{"all":[{"var":"x"},{"var":""}]}]}"#, r#"false"#),
        (r#"{"map":[{"var":"team"},{"var":"name"}]}"#, r#"["a","a"]"#),
    ]);
}

#[test]
fn a_part_of_a_path_that_is_no_number_is_the_first_element() {
    every_row_holds(&[
        (r#"{"var":"arr.x"}"#, r#"1"#),
        (r#"{"var":"arr.length"}"#, r#"1"#),
        (r#"{"var":"nested.q.length"}"#, r#"10"#),
        (r#"{"var":"arr.-1"}"#, r#"null"#),
        (r#"{"var":"arr.-0.5"}"#, r#"null"#),
        (r#"{"var":"arr.1e0"}"#, r#"2"#),
        (r#"{"var":"arr.0x1p1"}"#, r#"3"#),
        (r#"{"var":"arr.0_1"}"#, r#"2"#),
        (r#"{"var":"arr.3"}"#, r#"null"#),
        (r#"{"var":"arr.1e400"}"#, r#"null"#),
        (r#"{"var":"arr.nan"}"#, r#"null"#),
        (r#"{"var":["arr.9","d"]}"#, r#""d""#),
        (r#"{"var":"arr.1.9"}"#, r#"null"#),
        (r#"{"var":"arr..1"}"#, r#"2"#),
        (r#"{"var":"s.0"}"#, r#"null"#),
        (r#"{"var":1.5}"#, r#"null"#),
        (r#"{"var":true}"#, ERROR),
        (r#"{"var":[1]}"#, ERROR),
        (r#"{"var":["s","d",1]}"#, r#""text""#),
        (r#"{"missing":["arr.x","arr.-1","arr.3"]}"#, r#"["arr.-1","arr.3"]"#),
    ]);
}

#[test]
fn one_operand_is_a_list_of_one_only_where_it_stands_in_a_list() {
    every_row_holds(&[
        (r#"{"-":5}"#, ERROR),
        (r#"{"-":[5]}"#, r#"-5"#),
        (r#"{"-":[]}"#, r#"0"#),
        (r#"{"*":3}"#, ERROR),
        (r#"{"*":[]}"#, r#"1"#),
        (r#"{"/":{"var":"x"}}"#, ERROR),
        (r#"{"/":[5]}"#, r#"5"#),
        (r#"{"max":3}"#, ERROR),
        (r#"{"max":{"var":"arr"}}"#, r#"3"#),
        (r#"{"min":{"var":"x"}}"#, ERROR),
        (r#"{"+":"3"}"#, r#"3"#),
        (r#"{"+":[]}"#, r#"0"#),
        (r#"{"abs":-2}"#, r#"2"#),
        (r#"{"abs":[]}"#, ERROR),
        (r#"{"%":[1]}"#, ERROR),
        (r#"{"!":5}"#, r#"false"#),
        (r#"{"!":[]}"#, r#"true"#),
        (r#"{"!!":{"var":"arr"}}"#, r#"true"#),
        (r#"{"cat":5}"#, ERROR),
        (r#"{"cat":"a"}"#, r#""a""#),
        (r#"{"in":"a"}"#, ERROR),
        (r#"{"merge":5}"#, r#"[5]"#),
        (r#"{"merge":{"var":"n"}}"#, ERROR),
        (r#"{"==":5}"#, ERROR),
        (r#"{"===":5}"#, r#"false"#),
        (r#"{"!==":5}"#, r#"true"#),
        (r#"{"==":[1]}"#, r#"false"#),
        (r#"{"!=":[1]}"#, r#"true"#),
        (r#"{"<":[1]}"#, r#"false"#),
        (r#"{"<":[1,2,3,0]}"#, r#"true"#),
        (r#"{"and":[]}"#, r#"null"#),
        (r#"{"or":5}"#, ERROR),
        (r#"{"if":[]}"#, r#"null"#),
        (r#"{"if":["a"]}"#, r#""a""#),
        (r#"{"if":[0,"a"]}"#, r#"null"#),
        (r#"{"if":[0,"a",0,"b","c"]}"#, r#""c""#),
        (r#"{"?:":[0,1,2]}"#, r#"2"#),
        (r#"{"substr":["abc"]}"#, ERROR),
        (r#"{"substr":["abc",5,true]}"#, r#""abc""#),
        (r#"{"substr":["abc",1,1e30]}"#, ERROR),
        (r#"{"substr":["abcdef",-3,-1]}"#, r#""de""#),
        (r#"{"reduce":[{"var":"arr"},{"var":"current"}]}"#, r#"0"#),
        (r#"{"starts_with":"a"}"#, r#"null"#),
        (r#"{"sem_ver":"1"}"#, r#"null"#),
        (r#"{"fractional":"a"}"#, r#"null"#),
    ]);
}

#[test]
fn missing_some_needs_a_list_of_names() {
    every_row_holds(&[
        (r#"{"missing_some":[3,""]}"#, ERROR),
        (r#"{"missing_some":[1,null]}"#, ERROR),
        (r#"{"missing_some":[1]}"#, ERROR),
        (r#"{"missing_some":["1",["x","y"]]}"#, r#"[]"#),
        (r#"{"missing_some":[2,["x","y"]]}"#, r#"["y"]"#),
        (r#"{"missing_some":[null,["x"]]}"#, ERROR),
        (r#"{"missing_some":["1e400",["y"]]}"#, r#"[]"#),
        (r#"{"missing":"y"}"#, r#"["y"]"#),
        (r#"{"missing":5}"#, ERROR),
        (r#"{"missing":["","y","n","e",null]}"#, r#"["y","n",null]"#),
        (r#"{"missing":[["y","d"],["y",null],[]]}"#, r#"[["y",null]]"#),
        (r#"{"missing":[true]}"#, ERROR),
    ]);
}

#[test]
fn numbers_in_texts_are_read_as_each_operator_reads_them() {
    every_row_holds(&[
        (r#"{"+":["1_000",1]}"#, r#"1001"#),
        (r#"{"+":["1__0",1]}"#, r#"1"#),
        (r#"{"+":["0x1p4",1]}"#, r#"17"#),
        (r#"{"+":["0x10",1]}"#, r#"1"#),
        (r#"{"+":["-nan",1]}"#, r#"1"#),
        (r#"{"+":["1e400",1]}"#, ERROR),
        (r#"{">":["1e400",1]}"#, r#"false"#),
        (r#"{">":["inf",1]}"#, r#"true"#),
        (r#"{"==":["1e-400",0]}"#, r#"true"#),
        (r#"{"==":[" 1",1]}"#, r#"false"#),
        (r#"{"==":[" ",0]}"#, r#"true"#),
        (r#"{"==":["1_0",10]}"#, r#"true"#),
        (r#"{"in":[10,["1_0"]]}"#, r#"true"#),
        (r#"{"cat":[1e21,-0.0,1.50]}"#, r#""1000000000000000000000-01.5""#),
    ]);
}

#[test]
fn operators_over_two_lists() {
    every_row_holds(&[
        (r#"{"contains_all":[{"var":"arr"},[3,1]]}"#, r#"true"#),
        (r#"{"contains_all":[{"var":"arr"},["1"]]}"#, r#"false"#),
        (r#"{"contains_any":[{"var":"arr"},[9,2]]}"#, r#"true"#),
        (r#"{"contains_any":[[-0.0,null],[0]]}"#, r#"true"#),
        (r#"{"contains_any":[[null],[null]]}"#, r#"true"#),
        (r#"{"contains_none":[{"var":"arr"},[9]]}"#, r#"true"#),
        (r#"{"contains_none":[{"var":"x"},[9]]}"#, r#"true"#),
        (r#"{"contains_all":[{"var":"mixed"},[[1]]]}"#, ERROR),
        (r#"{"contains_all":[{"var":"arr"},[[1]]]}"#, r#"false"#),
        (r#"{"contains_any":[{"var":"mixed"},{"var":"mixed"}]}"#, ERROR),
        (r#"{"contains_any":[[1],[1],[1]]}"#, r#"false"#),
        (r#"{"contains_all":[[],[]]}"#, r#"true"#),
    ]);
}

#[test]
fn set_copies_an_object() {
    every_row_holds(&[
        (r#"{"set":[{"var":"two"},"a",5]}"#, r#"{"a":5,"b":2}"#),
        (r#"{"set":[{"var":"o"},"new",null]}"#, r#"{"k":1,"new":null}"#),
        (r#"{"set":[{"var":"two"},"c",{"var":"o"}]}"#, ERROR),
        (r#"{"set":[{"var":"x"},"a",5]}"#, r#"7"#),
        (r#"{"set":[{"var":"two"},"a"]}"#, r#"{"a":1,"b":2}"#),
        (r#"{"set":[]}"#, r#"null"#),
        (r#"{"set":[{"var":"two"},1,5]}"#, ERROR),
        (r#"{"set":5}"#, ERROR),
    ]);
}

#[test]
fn a_weight_that_no_integer_is_places_nobody() {
    every_row_holds(&[
        (r#"{"fractional":["x",["a",1],["b",-5]]}"#, r#""a""#),
        (r#"{"fractional":["x",["a",1],["b",-9e18]]}"#, r#""a""#),
        (r#"{"fractional":["x",["a",1],["b",-1e19]]}"#, r#"null"#),
        (r#"{"fractional":["x",["a",1],["b",{"/":[-1,0]}]]}"#, r#"null"#),
        (r#"{"fractional":["x",["a",1],["b",{"/":[1,0]}]]}"#, r#"null"#),
        (r#"{"map":[["u",{"p":1}],{"fractional":["x",["a",1]]}]}"#, r#"[null,"a"]"#),
    ]);
}

#[test]
fn a_number_of_a_million_or_more_is_no_version() {
    every_row_holds(&[
        (r#"{"sem_ver":[1000000,"=","1000000.0.0"]}"#, r#"null"#),
        (r#"{"sem_ver":[999999,"=","999999.0.0"]}"#, r#"true"#),
        (r#"{"sem_ver":["2.0.0",">",1000000]}"#, r#"null"#),
        (r#"{"sem_ver":[1.2,"=","1.2.0"]}"#, r#"true"#),
        (r#"{"sem_ver":[0.00001,"<","1"]}"#, r#"null"#),
    ]);
}
