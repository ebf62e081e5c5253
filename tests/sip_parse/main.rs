use rexian::sip::message::*;
#[test]
fn x() {
    let mut v: Vec<_> = std::fs::read_dir("../../shared/torture").unwrap().map(|e| e.unwrap().path()).collect();
    v.sort();
    for p in v {
        let b = std::fs::read(&p).unwrap();
        let n = p.file_stem().unwrap().to_string_lossy().into_owned();
        match Message::parse(&b, Framing::Datagram) {
            Ok(m) => println!("{n:12} OK  {:?} {:?}", m.method(), m.status()),
            Err(e) => println!("{n:12} ERR {} {} partial={}", e.status, e.reason, e.partial.is_some()),
        }
    }
}
