extension FuzzTarget {
    /// What a radio hears, and what the kernel says of it.
    static let radio: [FuzzTarget] = [elements, sae, eapol, stations, netlink, accessPoint]
}
