//! `earmark classify`: confidences over labels, for sounds and pictures.

use super::workplace::{Workplace, args, contains, json};

#[test]
fn confidences_of_each_file_add_up_to_one() {
    let workplace = Workplace::with_model();
    workplace.bring("media/demo/cat_1.jpg", "cat.jpg");
    workplace.bring("media/demo/car_horn_1-24074-A-43.wav", "horn.wav");
    workplace.write("broken.jpg", "no picture");
    let labels = "cat, car horn,rain";
    let lines = workplace.succeed(args!["classify", "--labels", labels, "cat.jpg", "horn.wav", "--json"]);
    let mut files = Vec::new();
    for line in lines.lines() {
        let object = json(line);
        let shares: Vec<(&str, f64)> = object["confidences"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(label, share)| (label.as_str(), share.as_f64().unwrap()))
            .collect();
        assert_eq!(shares.iter().map(|share| share.0).collect::<Vec<_>>(), ["car horn", "cat", "rain"]);
        assert!((shares.iter().map(|share| share.1).sum::<f64>() - 1.0).abs() < 1e-5, "{line}");
        let best = shares.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert_eq!(object["label"], best.0);
        files.push(object["file"].as_str().unwrap().to_owned());
    }
    assert_eq!(files, ["cat.jpg", "horn.wav"]);

    let run = workplace.run(args!["classify", "--labels", labels, "cat.jpg", "broken.jpg", "horn.wav"]);
    assert_eq!(run.code, 1);
    contains(&run.stderr, &["error: broken.jpg: "]);
    let table = String::from_utf8(run.stdout).unwrap();
    let table: Vec<&str> = table.lines().collect();
    assert_eq!(table.len(), 2, "{table:?}");
    contains(table[0], &["cat.jpg", "car horn", "rain", " %"]);
    contains(table[1], &["horn.wav", "car horn", "rain", " %"]);
}

#[test]
fn an_empty_label_is_a_mistake() {
    let workplace = Workplace::new();
    for labels in ["", "a,,b", "a, "] {
        contains(&workplace.fail(2, args!["classify", "--labels", labels, "cat.jpg"]), &["a label is empty"]);
    }
    contains(&workplace.fail(2, args!["classify", "--labels", "a,b"]), &["<FILE>"]);
    contains(&workplace.fail(2, args!["classify", "cat.jpg"]), &["--labels"]);
}
