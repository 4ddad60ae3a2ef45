// BoxConfiguration
