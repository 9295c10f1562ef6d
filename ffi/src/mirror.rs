//! Enums that say the same here and in core.

/// Makes an enum with the variants of one of core's, and the conversions.
///
/// An enum of core that may grow is followed by `or Other`, and what a value of it is: a value that this crate has no word for
/// reads as `Other`, and `Other` is refused on the way back.
macro_rules! mirror {
    ($(#[$doc:meta])* $ours:ident = $core:ty { $($(#[$variant_doc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $ours {
            $($(#[$variant_doc])* $variant,)+
        }

        impl From<$core> for $ours {
            fn from(value: $core) -> Self {
                match value {
                    $(<$core>::$variant => Self::$variant,)+
                }
            }
        }

        impl From<$ours> for $core {
            fn from(value: $ours) -> Self {
                match value {
                    $($ours::$variant => Self::$variant,)+
                }
            }
        }
    };
    ($(#[$doc:meta])* $ours:ident = $core:ty, or Other $what:literal { $($(#[$variant_doc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $ours {
            $($(#[$variant_doc])* $variant,)+
            /// Something that this version of the package has no word for. It is only ever read.
            Other,
        }

        impl From<$core> for $ours {
            fn from(value: $core) -> Self {
                match value {
                    $(<$core>::$variant => Self::$variant,)+
                    _ => Self::Other,
                }
            }
        }

        impl TryFrom<$ours> for $core {
            type Error = seatport::Invalid;

            fn try_from(value: $ours) -> Result<Self, Self::Error> {
                match value {
                    $($ours::$variant => Ok(Self::$variant),)+
                    $ours::Other => Err(seatport::Invalid::new($what, "Other", "name one that this version knows")),
                }
            }
        }
    };
}

pub(crate) use mirror;
