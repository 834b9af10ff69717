//! Lists Orb's price models with a configuration of each.

/// The names of all price models that Orb documents, and what a price of each is configured with.
/// Every other price omits what may be absent.
pub(crate) const MODELS: [(&str, &str); 35] = [
    ("unit", r#"{"unit_amount":"0.10","prorated":false}"#),
    (
        "tiered",
        r#"{"tiers":[{"first_unit":1.5,"last_unit":2.0,"unit_amount":"3"},{"first_unit":1.0,"unit_amount":"100.00"}]}"#,
    ),
    ("bulk", r#"{"tiers":[{"maximum_units":2.0,"unit_amount":"0.10"},{"unit_amount":"25.00"}]}"#),
    (
        "bulk_with_filters",
        r#"{"tiers":[{"tier_lower_bound":"1e-7","unit_amount":"0.0000001"},{"unit_amount":"3"}],"filters":[{"property_key":"cluster","property_value":"alpha"},{"property_key":"cluster","property_value":"alpha"}]}"#,
    ),
    ("package", r#"{"package_amount":"25.00","package_size":19}"#),
    (
        "matrix",
        r#"{"dimensions":["cluster",null],"default_unit_amount":"3","matrix_values":[{"unit_amount":"1.10","dimension_values":["alpha",null]},{"unit_amount":"0","dimension_values":["alpha",null]}]}"#,
    ),
    (
        "threshold_total_amount",
        r#"{"consumption_table":[{"threshold":"25.00","total_amount":"1e-7"},{"threshold":"0.0000001","total_amount":"3"}],"prorate":false}"#,
    ),
    (
        "tiered_package",
        r#"{"tiers":[{"tier_lower_bound":"100.00","per_unit":"0"},{"tier_lower_bound":"0.10","per_unit":"25.00"}],"package_size":"1e-7"}"#,
    ),
    (
        "tiered_with_minimum",
        r#"{"tiers":[{"tier_lower_bound":"0.0000001","unit_amount":"3","minimum_amount":"1.10"},{"tier_lower_bound":"100.00","unit_amount":"0","minimum_amount":"0.10"}],"hide_zero_amount_tiers":false,"prorate":true}"#,
    ),
    (
        "grouped_tiered",
        r#"{"tiers":[{"tier_lower_bound":"0.0000001","unit_amount":"3"},{"tier_lower_bound":"1.10","unit_amount":"100.00"}],"grouping_key":"cluster"}"#,
    ),
    (
        "grouped_tiered_matrix",
        r#"{"dimension":"region","default_unit_amount":"25.00","tiers":[{"dimension_value":"alpha","tier_lower_bound":"0.0000001","unit_amount":"3"},{"dimension_value":"0042","tier_lower_bound":"100.00","unit_amount":"0"}]}"#,
    ),
    (
        "tiered_package_with_minimum",
        r#"{"tiers":[{"tier_lower_bound":"0.10","per_unit":"25.00","minimum_amount":"1e-7"},{"tier_lower_bound":"0.0000001","per_unit":"3","minimum_amount":"1.10"}],"package_size":1.5}"#,
    ),
    ("package_with_allocation", r#"{"package_amount":"0","package_size":"0.10","allocation":"25.00"}"#),
    ("unit_with_percent", r#"{"unit_amount":"1e-7","percent":"0.0000001"}"#),
    (
        "matrix_with_allocation",
        r#"{"dimensions":["region",null],"default_unit_amount":"1.10","allocation":"100.00","matrix_values":[{"unit_amount":"0","dimension_values":["alpha",null]},{"unit_amount":"25.00","dimension_values":["alpha",null]}]}"#,
    ),
    (
        "matrix_with_threshold_discounts",
        r#"{"first_dimension":"cluster","default_unit_amount":"3","matrix_values":[{"first_dimension_value":"0042","second_dimension_value":"alpha","unit_amount":"0"},{"first_dimension_value":"alpha","unit_amount":"25.00"}]}"#,
    ),
    (
        "tiered_with_proration",
        r#"{"tiers":[{"tier_lower_bound":"1e-7","unit_amount":"0.0000001"},{"tier_lower_bound":"3","unit_amount":"1.10"}]}"#,
    ),
    ("unit_with_proration", r#"{"unit_amount":"100.00"}"#),
    ("grouped_allocation", r#"{"grouping_key":"cluster","overage_unit_rate":"0.10","allocation":"25.00"}"#),
    (
        "bulk_with_proration",
        r#"{"tiers":[{"tier_lower_bound":"1e-7","unit_amount":"0.0000001"},{"unit_amount":"3"}]}"#,
    ),
    ("grouped_with_prorated_minimum", r#"{"grouping_key":"cluster","unit_rate":"100.00","minimum":"0"}"#),
    (
        "grouped_with_metered_minimum",
        r#"{"grouping_key":"region","pricing_key":"cluster","scaling_key":"region","scaling_factors":[{"scaling_value":"0042","scaling_factor":"3"},{"scaling_value":"0042","scaling_factor":"100.00"}],"unit_amounts":[{"pricing_value":"0042","unit_amount":"0.10"},{"pricing_value":"0042","unit_amount":"1e-7"}],"minimum_unit_amount":"0.0000001"}"#,
    ),
    (
        "grouped_with_min_max_thresholds",
        r#"{"grouping_key":"region","per_unit_rate":"1.10","minimum_charge":"100.00","maximum_charge":"0"}"#,
    ),
    (
        "matrix_with_display_name",
        r#"{"dimension":"region","unit_amounts":[{"display_name":"First 1000","dimension_value":"alpha","unit_amount":"0.0000001"},{"display_name":"Größe \"M\"","dimension_value":"0042","unit_amount":"100.00"}]}"#,
    ),
    (
        "grouped_tiered_package",
        r#"{"tiers":[{"tier_lower_bound":"0","per_unit":"0.10"},{"tier_lower_bound":"25.00","per_unit":"1e-7"}],"package_size":"0.0000001","grouping_key":"region"}"#,
    ),
    (
        "max_group_tiered_package",
        r#"{"tiers":[{"tier_lower_bound":"1.10","unit_amount":"100.00"},{"tier_lower_bound":"0","unit_amount":"0.10"}],"package_size":"25.00","grouping_key":"region"}"#,
    ),
    (
        "scalable_matrix_with_unit_pricing",
        r#"{"grouping_key":"cluster","unit_price":"3","first_dimension":"cluster","second_dimension":"region","matrix_scaling_factors":[{"first_dimension_value":"0042","second_dimension_value":"alpha","scaling_factor":"25.00"},{"first_dimension_value":"alpha","scaling_factor":"0.0000001"}],"prorate":true}"#,
    ),
    (
        "scalable_matrix_with_tiered_pricing",
        r#"{"tiers":[{"tier_lower_bound":"1.10","unit_amount":"100.00"},{"tier_lower_bound":"0","unit_amount":"0.10"}],"first_dimension":"cluster","matrix_scaling_factors":[{"first_dimension_value":"alpha","second_dimension_value":"0042","scaling_factor":"3"},{"first_dimension_value":"0042","scaling_factor":"100.00"}]}"#,
    ),
    (
        "cumulative_grouped_bulk",
        r#"{"group":"cluster","dimension_values":[{"tier_lower_bound":"0.10","grouping_key":"cluster","unit_amount":"1e-7"},{"tier_lower_bound":"0.0000001","grouping_key":"region","unit_amount":"1.10"}]}"#,
    ),
    (
        "cumulative_grouped_allocation",
        r#"{"grouping_key":"region","group_allocation":"0","cumulative_allocation":"0.10","unit_amount":"25.00"}"#,
    ),
    (
        "daily_credit_allowance",
        r#"{"event_day_property":"region","dimensions":["cluster",null],"default_unit_amount":"3","daily_allowance":"1.10","matrix_values":[{"unit_amount":"100.00","dimension_values":["eu-west-1",null]},{"unit_amount":"0.10","dimension_values":["eu-west-1",null]}]}"#,
    ),
    (
        "metered_allowance",
        r#"{"grouping_key":"region","consumption_grouping_value":"0042","allowance_grouping_value":"alpha","unit_amount":"1.10"}"#,
    ),
    ("minimum_composite", r#"{"minimum_amount":"100.00","prorated":false}"#),
    ("percent", r#"{"percent":0.5}"#),
    (
        "event_output",
        r#"{"unit_rating_key":"cluster","grouping_key":"region","default_unit_rate":"0.0000001"}"#,
    ),
];
