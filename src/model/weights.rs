//! The strict check of a set of tensors against a configuration: everything that is wrong is found and named at once.

use std::collections::BTreeSet;

use super::config::Shapes;
use super::error::{Defect, Defects};
use super::schema::{Kind, TensorSpec};

/// Every missing, extra or misshapen tensor.
pub fn check_shapes(schema: &[TensorSpec], found: &Shapes) -> Defects {
    let mut defects = Vec::new();
    for spec in schema {
        match found.get(&spec.name) {
            None => defects.push(Defect::Missing(spec.name.clone())),
            Some(shape) if *shape != spec.shape => defects.push(Defect::Shape {
                name: spec.name.clone(),
                expected: spec.shape.clone(),
                actual: shape.clone(),
            }),
            Some(_) => {}
        }
    }
    let known: BTreeSet<&str> = schema.iter().map(|spec| spec.name.as_str()).collect();
    let extra = found.keys().filter(|name| !known.contains(name.as_str()));
    defects.extend(extra.map(|name| Defect::Extra(name.clone())));
    Defects(defects)
}

/// The first value of a tensor that no model can compute with, if there is one.
pub fn check_values(spec: &TensorSpec, values: &[f32]) -> Option<Defect> {
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Some(Defect::NotFinite { name: spec.name.clone(), index });
    }
    let negative = (spec.kind == Kind::Variance).then(|| values.iter().position(|&value| value < 0.0)).flatten();
    negative.map(|index| Defect::NegativeVariance { name: spec.name.clone(), index })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelConfig;
    use crate::model::schema;

    fn tiny() -> (Vec<TensorSpec>, Shapes) {
        let schema = schema::tensors(&ModelConfig::golden_tiny());
        let shapes = schema.iter().map(|spec| (spec.name.clone(), spec.shape.clone())).collect();
        (schema, shapes)
    }

    #[test]
    fn names_everything_that_is_wrong() {
        let (schema, mut shapes) = tiny();
        assert_eq!(check_shapes(&schema, &shapes), Defects::default());
        shapes.remove("audio.fc.bias");
        shapes.remove("ln_final.weight");
        shapes.insert("optimizer.step".into(), vec![]);
        shapes.insert("logit_scale".into(), vec![1]);
        let text = check_shapes(&schema, &shapes).to_string();
        for expected in [
            "4 tensors do not fit",
            "audio.fc.bias: missing",
            "ln_final.weight: missing",
            "optimizer.step: not part of the model",
            "logit_scale: shape is [1], expected []",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
    }

    #[test]
    fn finds_values_that_cannot_be_computed_with() {
        let spec = |kind| TensorSpec { name: "x".into(), shape: vec![2], kind };
        assert_eq!(check_values(&spec(Kind::Real), &[-1.0, 2.0]), None);
        let not_finite = Some(Defect::NotFinite { name: "x".into(), index: 1 });
        assert_eq!(check_values(&spec(Kind::Real), &[1.0, f32::NAN]), not_finite);
        assert_eq!(check_values(&spec(Kind::Variance), &[1.0, f32::INFINITY]), not_finite);
        let negative = Some(Defect::NegativeVariance { name: "x".into(), index: 0 });
        assert_eq!(check_values(&spec(Kind::Variance), &[-1.0, 2.0]), negative);
    }
}
