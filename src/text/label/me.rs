//! The page on which people change their own password and language.

/// The page on which people change their own password and language.
pub struct Me {
    pub title: &'static str,
    pub role: &'static str,
    pub merchants: &'static str,
    pub all_merchants: &'static str,
    pub as_the_browser: &'static str,
    pub password: &'static str,
    pub password_hint: &'static str,
    pub current_password: &'static str,
    pub new_password: &'static str,
    pub new_password_again: &'static str,
    pub end_tokens: &'static str,
    pub end_tokens_hint: &'static str,
    pub change_password: &'static str,
    pub wrong_password: &'static str,
    pub not_the_same: &'static str,
}

pub(super) static EN: Me = Me {
    title: "My account",
    role: "Role",
    merchants: "Merchants",
    all_merchants: "All",
    as_the_browser: "As the browser asks",
    password: "Password",
    password_hint: "10 to 256 characters. The browser asks for it again at the next click.",
    current_password: "Current password",
    new_password: "New password",
    new_password_again: "New password once more",
    end_tokens: "Also end all my tokens",
    end_tokens_hint: "Else scripts with a token go on as before. End them if somebody else may have known the password.",
    change_password: "Change password",
    wrong_password: "The current password is not right. Type the one with which you signed in.",
    not_the_same: "The new password was typed in two ways. Type the same one twice.",
};

pub(super) static AR: Me = Me {
    title: "حسابي",
    role: "الصلاحية",
    merchants: "التجار",
    all_merchants: "الكل",
    as_the_browser: "حسب لغة المتصفح",
    password: "كلمة المرور",
    password_hint: "من 10 إلى 256 حرفًا. سيطلبها المتصفح من جديد عند النقرة التالية.",
    current_password: "كلمة المرور الحالية",
    new_password: "كلمة المرور الجديدة",
    new_password_again: "كلمة المرور الجديدة مرة أخرى",
    end_tokens: "إنهاء كل رموز الوصول أيضًا",
    end_tokens_hint: "وإلا تبقى البرامج التي لديها رمز كما هي. أنهِها إذا كان غيرك قد عرف كلمة المرور.",
    change_password: "تغيير كلمة المرور",
    wrong_password: "كلمة المرور الحالية غير صحيحة. اكتب التي سجلت الدخول بها.",
    not_the_same: "كُتبت كلمة المرور الجديدة بشكلين مختلفين. اكتبها مرتين بالشكل نفسه.",
};
